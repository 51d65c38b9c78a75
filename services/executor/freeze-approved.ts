import { fileNameOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held, Stay } from './deps.ts'
import { asItems, eachTask } from './each-task.ts'
import { countOnce } from './obey-person.ts'
import { BEING_CHANGED, judge, type Read, readTask, standingCard } from './read-task.ts'
import { leaveAlone, leaveUnreadable, type Refusal } from './refuse-file.ts'
import { sendBack } from './send-back.ts'

/**
 * Picks up what the person approved: each file of Approved/ is journaled as frozen and renamed to In_Progress/<agent>,
 * where the undo window begins. What could not be executed anyway goes back with the reason at once. Gives what stays
 * in Approved/, and why.
 */
export async function freezeApproved(deps: ExecutorDeps): Promise<Held[]> {
  return eachTask(asItems(await deps.vault.list('Approved')), deps, ({ path }) => freeze(path, deps))
}

async function freeze(path: VaultPath, deps: ExecutorDeps): Promise<Stay | string | undefined> {
  const read = await readTask(path, deps)
  if (read.kind === 'gone') return undefined
  if (read.kind === 'unreadable') return leaveUnreadable(path, read.say, deps)
  if (!read.parsed.ok) return pickUp(path, read, deps)
  return deps.inHand.take(read.parsed.task.front.id, () => pickUp(path, read, deps))
}

async function pickUp(path: VaultPath, read: Read, deps: ExecutorDeps): Promise<Stay | string | undefined> {
  const verdict = await judge(path, read, deps)
  if (verdict.kind === 'refused') {
    if (verdict.next === 'hold') return { say: await hold(path, read, verdict, deps), until: verdict.until }
    if (!deps.isQuiet(path, read.text)) return BEING_CHANGED
    return (await sendBack(path, read, verdict, deps)) ? undefined : verdict.say
  }
  const target = taskPath({ kind: 'in-progress', agent: deps.agent }, fileNameOf(path))
  if (await deps.vault.exists(target)) return NAME_TAKEN
  const { id: taskId, generation } = verdict.task.front
  const now = deps.clock.now()
  // Before the move: a file in In_Progress/<agent> without this row was approved by nobody.
  const { tool } = verdict.action
  const undoUntil = now + deps.undoMs
  deps.journal.freeze({ taskId, tool, generation, fileName: fileNameOf(path), frozenAt: now, undoUntil })
  await deps.ledger.append('task.approved', { task: taskId, data: { digest: verdict.digest, generation } })
  const moved = await deps.vault.move(path, target)
  if (moved === 'exists') return NAME_TAKEN
  if (moved === 'moved') {
    deps.metrics.count('countersign_tasks_total', { outcome: 'approved' })
    deps.log.info({ task: taskId, path, ms: deps.undoMs }, 'picked up an approved task')
    await deps.ring({ taskId, generation }, deps.undoMs)
  }
  return undefined
}

const NAME_TAKEN = 'Another file of this name is being worked on already.'

/** What the person does not know of by their own doing stands in the ledger, too. */
async function hold(path: VaultPath, read: Read, { rule, say }: Refusal, deps: ExecutorDeps): Promise<string> {
  const task = read.parsed.ok ? read.parsed.task.front.id : undefined
  const shown = task && standingCard(path, task, read, deps)
  if (shown) countOnce(shown, deps)
  if (rule !== 'clock-set-back') return say
  return leaveAlone(path, { rule, say, task }, deps)
}
