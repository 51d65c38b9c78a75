import { createHash } from 'node:crypto'
import { attachmentPath } from '#core/attachment.ts'
import { CountersignError } from '#core/errors.ts'
import { makeTaskId, shortId, type TaskId } from '#core/ids.ts'
import { type NoteTask, readNote } from '#core/inbox-note.ts'
import { recognizeLanguage } from '#core/language.ts'
import { plainSubject } from '#core/mail.ts'
import { plainMarkdown, quoteInert } from '#core/quote.ts'
import { newTaskFile, parseTaskFile, renderSection, renderTaskFile } from '#core/task-file.ts'
import { fileNameOf, placeOf, type TaskPlace, taskFileName, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { asItems, eachTask } from './each-task.ts'
import { leaveUnreadable } from './refuse-file.ts'

const INBOX = 'Inbox'
const MAX_NOTE_BYTES = 1024 * 1024
const MAX_QUOTE_CHARS = 40_000
/** So often the very same note may be dropped again after its task was finished. */
const MAX_SAME = 1_000

/**
 * Makes tasks of the notes that the person dropped into Inbox/. The order is attachment, task, ledger, and the note goes
 * last, only if it still reads as it was taken: after a crash in between, its task is found by the id that derives from
 * the note's name and text. Gives what stays there, and why.
 */
export async function takeInbox(deps: ExecutorDeps): Promise<Held[]> {
  const held = await eachTask(asItems(await deps.vault.list(INBOX)), deps, ({ path }) => takeNote(path, deps))
  const strays = await deps.vault.strays(INBOX)
  return [...held, ...strays.map((name) => ({ path: `${INBOX}/${name}`, say: STRAY }))]
}

const STRAY =
  'Only plain notes of an ordinary name that end in .md become tasks: this one stays here. Write a note about it, or take it out.'

async function takeNote(path: VaultPath, deps: ExecutorDeps): Promise<string | undefined> {
  const text = await readText(path, deps)
  if (typeof text !== 'string') return text?.say
  const name = fileNameOf(path)
  const { risk, fault } = await deps.knowledge()
  // Whom it is for is known by the handbook alone.
  if (fault !== undefined) return `Notes wait until the handbook can be read. ${fault}`
  const asked = readNote(name, text, { contacts: risk.rules.contacts })
  // An empty note was just made: something will be written into it.
  if (!asked || !deps.isNoteQuiet(path, text)) return undefined
  const kept = await keepWhole(text, deps)
  for (const one of asked) await createOnce(one, { name, text, kept }, deps)
  if ((await deps.vault.removeIf(path, text)) === 'removed') deps.log.info({ path, count: asked.length }, 'took a note')
  return undefined
}

async function readText(path: VaultPath, deps: ExecutorDeps): Promise<string | { readonly say: string } | undefined> {
  try {
    return await deps.vault.read(path, MAX_NOTE_BYTES)
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')) throw error
    return { say: await leaveUnreadable(path, `${error.message}. ${error.hint}`, deps) }
  }
}

interface Note {
  readonly name: string
  readonly text: string
  /** Where it stands letter for letter, when the quote does not say all of it. */
  readonly kept: VaultPath | undefined
}

async function keepWhole(text: string, { vault }: ExecutorDeps): Promise<VaultPath | undefined> {
  if (quoteOf(text) === `\`\`\`text\n${text.trimEnd()}\n\`\`\``) return undefined
  const path = attachmentPath('note.txt', createHash('sha256').update(text).digest('hex'))
  await vault.create(path, text)
  return path
}

async function createOnce(asked: NoteTask, note: Note, deps: ExecutorDeps): Promise<void> {
  const now = deps.clock.now()
  for (let same = 0; same < MAX_SAME; same++) {
    const id = makeTaskId(now, seedOf(asked, note, same))
    const standing = await findTask(id, deps)
    const isOver = standing !== undefined && ['done', 'rejected'].includes(placeOf(standing.path).kind)
    if (isOver) continue
    const taskId = standing?.id ?? id
    if (!standing) await create(taskId, asked, note, deps)
    await deps.ledger.append('task.created', {
      task: taskId,
      data: { domain: asked.domain, from: 'inbox', classified: { by: 'rule', rule: asked.rule } },
    })
    deps.metrics.count('countersign_tasks_total', { outcome: 'created' })
    return
  }
}

function seedOf({ network }: NoteTask, { name, text }: Note, same: number): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(['inbox', name, text, network ?? '', same]))
    .digest()
}

/** Of the id only what derives from the note is known: its time is that of the first try. */
async function findTask(id: TaskId, deps: ExecutorDeps): Promise<{ id: TaskId; path: VaultPath } | undefined> {
  const ending = `_${shortId(id)}.md`
  for (const folder of await deps.vault.taskFolders()) {
    for (const path of await deps.vault.list(folder)) {
      if (!path.endsWith(ending)) continue
      const parsed = parseTaskFile((await deps.vault.read(path).catch(() => undefined)) ?? '')
      // One that the person broke meanwhile is still the note's.
      const found = parsed.ok ? parsed.task.front.id : id
      if (found.slice(10) === id.slice(10)) return { id: found, path }
    }
  }
  return undefined
}

async function create(id: TaskId, asked: NoteTask, note: Note, deps: ExecutorDeps): Promise<void> {
  const at = new Date(deps.clock.now()).toISOString()
  const { kind, domain, title, to, network, say } = asked
  const language = recognizeLanguage(note.text)
  const task = newTaskFile(
    {
      ...{ id, schema: '1', kind, domain, title },
      ...(language && { language }),
      created: at,
      source: {
        provider: 'inbox',
        received: at,
        subject: plainSubject(title),
        ...(to.length > 0 && { reply_to: [...to] }),
      },
      classified: { by: 'rule', rule: asked.rule },
      ...(network && { network }),
      risk: [],
      generation: '0',
      history: [],
      ...(say && { outcome: { status: 'undraftable', at, reason: say.slice(0, 500) } }),
    },
    bodyOf(title, note),
  )
  const place: TaskPlace = say === undefined ? { kind: 'needs-action', domain } : { kind: 'pending', domain }
  const fileName = taskFileName({ kind, dayIso: at.slice(0, 10), title, id })
  await deps.vault.create(taskPath(place, fileName), renderTaskFile(task))
}

function bodyOf(title: string, { name, text, kept }: Note): string {
  return [
    '',
    `# ${plainMarkdown(title, 300)}`,
    '',
    `Your note ${plainMarkdown(name, 200)} from Inbox.${kept ? ` It stands letter for letter in ${kept}.` : ''}`,
    '',
    renderSection('original', quoteOf(text)),
    '',
  ].join('\n')
}

function quoteOf(text: string): string {
  return quoteInert(text, { maxChars: MAX_QUOTE_CHARS })
}
