import { parseAction } from '#core/action.ts'
import { MAX_KEPT_CHARS } from '#core/draft-revision.ts'
import { type Example, examplesPath, isEdited, MAX_EXAMPLES_BYTES, withExample } from '#core/examples.ts'
import type { Intent } from '#core/ports/journal.ts'
import { findSecrets } from '#core/secret-rules.ts'
import { draftOf } from '#core/task-file.ts'
import { isLocalOnly } from '#core/zone-policy.ts'
import type { ExecutorDeps } from './deps.ts'
import { readTask } from './read-task.ts'

const TRIES = 3

/**
 * A mail that the person changed before they approved it becomes an example for its correspondent. Once: the pair carries
 * the task's id. Nothing waits for it, and nothing fails with it: what cannot be kept is not.
 */
export async function rememberEdit(intent: Intent, deps: ExecutorDeps): Promise<void> {
  try {
    const found = await exampleOf(intent, deps)
    if (found) await keep(found.to, found.example, deps)
  } catch (error) {
    deps.log.warn({ task: intent.taskId, err: error }, 'an edit could not be kept as an example')
  }
}

async function exampleOf(intent: Intent, deps: ExecutorDeps): Promise<{ to: string; example: Example } | undefined> {
  const before = deps.journal.draftMemory(intent.taskId)?.drafted
  if (before === undefined || intent.action === undefined) return undefined
  const action = parseAction(intent.action)
  const {
    to: [to],
    body,
  } = action.tool === 'email.send_email' ? action : { to: [], body: '' }
  if (to === undefined || before.length > MAX_KEPT_CHARS) return undefined
  const { risk, fault } = await deps.knowledge()
  if (fault !== undefined || !risk.rules.remembersEdits) return undefined
  const path = await deps.vault.find(intent.fileName)
  const read = path === undefined ? undefined : await readTask(path, deps)
  if (read?.kind !== 'read' || !read.parsed.ok || isLocalOnly(read.parsed.task.front.domain)) return undefined
  // What was put in when it went out is no edit of the person's.
  const after = intent.receipt.filled ? (draftOf(read.parsed.task) ?? '') : body
  if (!isEdited(before, after)) return undefined
  const { title } = read.parsed.task.front
  const at = new Date(intent.updatedAt).toISOString()
  return { to, example: { id: intent.taskId, at, title, before, after } }
}

async function keep(to: string, example: Example, deps: ExecutorDeps): Promise<void> {
  const path = examplesPath(to)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const note = await deps.vault.read(path, MAX_EXAMPLES_BYTES)
    const text = withExample(note, to, example)
    // What holds a secret, be it in its name, would not leave this machine.
    if (text === note || [path, text].some(isSecret)) return
    const outcome =
      note === undefined ? await deps.vault.create(path, text) : await deps.vault.replaceIf(path, note, text)
    if (outcome !== 'created' && outcome !== 'replaced') continue
    deps.log.info({ task: example.id, path }, 'kept an edit as an example')
    return
  }
  deps.log.warn({ task: example.id, path }, 'an edit could not be kept as an example: its note is being changed')
}

function isSecret(text: string): boolean {
  return findSecrets(text).some(({ kind }) => kind === 'block')
}
