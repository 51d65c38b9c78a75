import { channelOf } from '#core/action.ts'
import { CountersignError } from '#core/errors.ts'
import { decideExecution, type ExecutionVerdict, type Presented } from '#core/execution.ts'
import type { HandbookRules } from '#core/handbook-rules.ts'
import type { TaskId } from '#core/ids.ts'
import { withoutNotice } from '#core/notice.ts'
import type { Presentation } from '#core/ports/journal.ts'
import { shownDigest } from '#core/shown.ts'
import { type ParsedTask, parseTaskFile, type TaskFile } from '#core/task-file.ts'
import { paceWindow } from '#core/timing.ts'
import { DOMAINS, type Domain, fileNameOf, placeOf, type VaultPath, vaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'
import { predecessorsOf } from './predecessors.ts'

export type ReadTask =
  | { readonly kind: 'gone' }
  /** No plain text file (a link, over 1 MiB, not UTF-8 …): it is left where it is and never touched. */
  | { readonly kind: 'unreadable'; readonly say: string }
  | { readonly kind: 'read'; readonly text: string; readonly parsed: ParsedTask; readonly received: number }

export type Read = Extract<ReadTask, { kind: 'read' }>

/** For a file that someone, a person or sync, is writing at this moment. */
export const BEING_CHANGED = 'The file is being changed.'
const READ_TRIES = 3

const HALT = vaultPath('HALT.md')

/**
 * Reads a file once; everything decided afterwards is about these bytes. `received` is the count they belong to: sync
 * counts before it writes, so bytes of the hub are never taken for what stood there before.
 */
export async function readTask(path: VaultPath, deps: Pick<ExecutorDeps, 'vault' | 'received'>): Promise<ReadTask> {
  try {
    for (let attempt = 0; attempt < READ_TRIES; attempt++) {
      const received = deps.received.count(fileNameOf(path))
      const text = await deps.vault.read(path)
      if (text === undefined) return { kind: 'gone' }
      if (deps.received.count(fileNameOf(path)) === received)
        return { kind: 'read', text, parsed: parseTaskFile(withoutNotice(text)), received }
    }
    return { kind: 'unreadable', say: BEING_CHANGED }
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')
      return { kind: 'unreadable', say: `${error.message}. ${error.hint}` }
    throw error
  }
}

/**
 * Gathers the facts about an approved task and asks the pure rule. A task that is on its way back to the person (a
 * crash came before the move, or the person was faster than the new card) goes back, with that reason.
 */
export async function judge(path: VaultPath, read: Read, deps: ExecutorDeps): Promise<ExecutionVerdict> {
  const { parsed } = read
  const back = deps.journal.sentBack(fileNameOf(path))
  if (back) return { kind: 'refused', rule: back.rule, say: back.say, next: 'return' }
  const front = parsed.ok ? parsed.task.front : undefined
  const { risk, fault } = await deps.knowledge()
  return decideExecution({
    zone: deps.zone,
    halted: await isHalted(deps),
    parsed,
    presented: parsed.ok ? approvedCard(path, parsed.task, read, deps) : undefined,
    use: front ? deps.journal.useOf(front.id, front.generation) : 'none',
    now: deps.clock.now(),
    limits: deps.limits,
    handbookFault: fault,
    risk,
    predecessors: parsed.ok ? await predecessorsOf(parsed.task, deps) : [],
    acts: actsOf(front?.action?.tool ?? '', risk.rules, deps),
  })
}

/** When the channel of a tool acted within the longest pace of the handbook. */
function actsOf(tool: string, rules: HandbookRules, { journal, clock }: ExecutorDeps): number[] {
  const channel = channelOf(tool)
  const window = paceWindow(channel ?? '', rules)
  if (window === 0) return []
  const uses = journal.usesSince(clock.now() - window)
  return uses.filter((use) => channelOf(use.tool) === channel).map(({ at }) => at)
}

/**
 * The card of this very file that the person may decide on. Nothing in the file says so: whoever wrote it can copy every
 * mark of ours. It is the file we wrote, by its name, and nothing was received under that name since.
 */
export function standingCard(
  path: VaultPath,
  taskId: TaskId,
  read: Pick<Read, 'received'>,
  deps: Pick<ExecutorDeps, 'journal'>,
): Presentation | undefined {
  const shown = deps.journal.presentation(taskId)
  const isSame = shown?.fileName === fileNameOf(path) && shown.received === read.received
  const isInPlace = placeOf(path).kind !== 'pending' || shown?.folder === folderOf(path)
  return isSame && isInPlace && shown.stands ? shown : undefined
}

/** The standing card, if the file still says that it is that one: another file renamed over it is none. */
function approvedCard(path: VaultPath, task: TaskFile, read: Read, deps: ExecutorDeps): Presented | undefined {
  const shown = standingCard(path, task.front.id, read, deps)
  if (!shown || !isCardOf(shown, task)) return undefined
  return { ...shown, isAsShown: shown.shown === shownDigest(read.text) }
}

/** The standing card of a file that is, to the letter, the one that was shown: what an approval of it would stand for. */
export function cardAsShown(
  path: VaultPath,
  read: Read,
  task: TaskFile,
  deps: Pick<ExecutorDeps, 'journal'>,
): Presentation | undefined {
  if (deps.journal.sentBack(fileNameOf(path)) !== undefined) return undefined
  if (deps.journal.isFromBeforeRestore(task.front.id)) return undefined
  const shown = standingCard(path, task.front.id, read, deps)
  const isCard = shown?.generation === task.front.generation && isCardOf(shown, task)
  const isAsShown = isCard && shown.shown === shownDigest(read.text) && withoutNotice(read.text) === read.text
  return isAsShown ? shown : undefined
}

export function isCardOf(shown: Presentation, task: TaskFile): boolean {
  const { presented } = task.front
  return presented?.digest === shown.digest && presented.at === new Date(shown.at).toISOString()
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

export function isHalted(deps: Pick<ExecutorDeps, 'vault'>): Promise<boolean> {
  return deps.vault.exists(HALT)
}

const KIND_DOMAINS: Readonly<Record<string, Domain>> = {
  ...{ EMAIL: 'email', INVOICE: 'accounting', POST: 'social', PAYMENT: 'payment', BOOKING: 'accounting' },
}

/** The domain of a task, even of a broken file: what its text says, else what its kind is for. */
export function domainOf(path: VaultPath, read: { text: string; parsed: ParsedTask }): Domain {
  if (read.parsed.ok) return read.parsed.task.front.domain
  const named = /^domain: *"?([a-z]+)"? *$/m.exec(read.text)?.[1]
  const known = DOMAINS.find((domain) => domain === named)
  return known ?? KIND_DOMAINS[fileNameOf(path).split('_')[0] ?? ''] ?? 'general'
}
