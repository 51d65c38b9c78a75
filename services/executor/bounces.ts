import { readAction } from '#core/action.ts'
import { type NamedUse, undelivered, usesNamed } from '#core/bounce.ts'
import { CountersignError } from '#core/errors.ts'
import type { Intent } from '#core/ports/journal.ts'
import type { DeliveryReport } from '#core/ports/mail.ts'
import { oneLine } from '#core/quote.ts'
import { renderTaskFile, type TaskFile, withFront } from '#core/task-file.ts'
import { updateNotePath } from '#core/update-note.ts'
import type { VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { eachTask } from './each-task.ts'
import { readTask } from './read-task.ts'

/** A report of a mail that was not delivered. `key`: hex, the same for the same report. */
export interface Bounce {
  readonly key: string
  /** When the mailbox received it, ms. */
  readonly at: number
  readonly report: DeliveryReport
}

const MAX_BOUNCED = 20

/** Reports wait here for the pass that tells the person: whoever brings one knows when that is done. */
export interface BounceBox {
  /** Resolves when the person was told, or when it is about no mail of ours. Rejects when the box is closed. */
  add(bounce: Bounce): Promise<void>
  waiting(): readonly { readonly bounce: Bounce; done(): void }[]
  close(): void
}

export function bounceBox(): BounceBox {
  const all = new Map<Bounce, PromiseWithResolvers<void>>()
  return {
    add(bounce) {
      const told = Promise.withResolvers<void>()
      all.set(bounce, told)
      return told.promise
    },
    waiting: () =>
      [...all].map(([bounce, told]) => ({
        bounce,
        done() {
          all.delete(bounce)
          told.resolve()
        },
      })),
    close() {
      for (const told of all.values()) told.reject(new Error('the executor stops'))
      all.clear()
    },
  }
}

/**
 * Tells the person what came back: in the finished task, by a note for the dashboard, and in the ledger. The note's name and
 * the lines derive from the report, so that doing it again after a crash adds nothing but a ledger entry. A report that
 * comes before its task is finished waits. Gives what could not be told, and why.
 */
export async function tellBounces(
  deps: Pick<
    ExecutorDeps,
    'bounces' | 'vault' | 'journal' | 'ledger' | 'received' | 'inHand' | 'log' | 'metrics' | 'limits' | 'agent'
  >,
): Promise<Held[]> {
  const waiting = deps.bounces.waiting().map(({ bounce, done }) => {
    const intent = intentOf(usesNamed(bounce.report.ids, deps.limits.account), deps)
    return { bounce, done, intent, path: intent?.fileName ?? 'a report of a mail server' }
  })
  return eachTask(waiting, deps, async ({ bounce, done, intent }) => {
    const isUnderWay =
      intent?.state === 'consumed' || (intent?.state === 'accepted' && deps.journal.freezeOf(intent.taskId))
    if (isUnderWay) return undefined
    const told = intent ? await deps.inHand.take(intent.taskId, () => tell(intent, bounce, deps)) : true
    if (told) done()
    return undefined
  })
}

function intentOf(uses: readonly NamedUse[], { journal }: Pick<ExecutorDeps, 'journal'>): Intent | undefined {
  return uses
    .map(({ taskId, generation, key }) => {
      const intent = journal.intentOf(taskId, generation)
      return intent?.key === key && intent.state !== 'intended' ? intent : undefined
    })
    .find((intent) => intent !== undefined)
}

/** False when somebody is changing the file: then the next pass tells it. */
async function tell(
  intent: Intent,
  bounce: Bounce,
  deps: Pick<ExecutorDeps, 'vault' | 'ledger' | 'received' | 'log' | 'agent'>,
): Promise<boolean> {
  const path = await deps.vault.find(intent.fileName)
  const read = path === undefined ? undefined : await readTask(path, deps)
  const task = read?.kind === 'read' && read.parsed.ok ? read.parsed.task : undefined
  const lines = undelivered(bounce.report, recipientsOf(task))
  if (path?.startsWith('Done/') && read?.kind === 'read' && task) {
    const text = withBounce(task, bounce, lines)
    if (text !== undefined && text !== read.text && (await deps.vault.replaceIf(path, read.text, text)) !== 'replaced')
      return false
  }
  await deps.vault.create(notePath(bounce, deps), noteText(path, task, lines))
  await deps.ledger.append('mail.bounced', {
    task: intent.taskId,
    data: {
      key: intent.key,
      recipients: bounce.report.failed.length,
      status: [...new Set(bounce.report.failed.map(({ status }) => status || 'unknown'))].join(' '),
    },
  })
  deps.log.warn({ task: intent.taskId }, 'a mail came back undelivered')
  return true
}

function recipientsOf(task: TaskFile | undefined): string[] {
  const read = task && readAction(task)
  return read?.ok && read.action.tool === 'email.send_email' ? [...read.action.to, ...read.action.cc] : []
}

/**
 * The file's new text. A report that stands there already adds nothing; undefined when the file has no room for more of
 * them, for anybody can send any number.
 */
function withBounce(task: TaskFile, { key, at }: Bounce, lines: readonly string[]): string | undefined {
  const { outcome } = task.front
  if (!outcome) return undefined
  const standing = Array.isArray(outcome.bounced) ? (outcome.bounced as { report?: unknown }[]) : []
  const report = key.slice(0, 16)
  if (standing.length >= MAX_BOUNCED || standing.some((one) => one.report === report)) return undefined
  const bounced = [...standing, { at: new Date(at).toISOString(), report, not_delivered: [...lines] }]
  try {
    return renderTaskFile(withFront(task, { outcome: { ...outcome, bounced } }))
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID') return undefined
    throw error
  }
}

function notePath({ key, at }: Bounce, { agent }: Pick<ExecutorDeps, 'agent'>): VaultPath {
  return updateNotePath(agent, at, `bounce/${key}`)
}

function noteText(path: VaultPath | undefined, task: TaskFile | undefined, lines: readonly string[]): string {
  const title = oneLine(task?.front.title ?? 'a mail', 120).replace(/[[\]|]/g, ' ')
  const what = path ? `[[${path}|${title}]]` : title
  // The dashboard makes it inert.
  return `⚠ Not delivered: ${what}. A mail server reports ${lines.join('; ')}\n`
}
