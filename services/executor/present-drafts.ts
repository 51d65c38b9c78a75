import { readAction } from '#core/action.ts'
import { asksForCode, isWholeCode, typedCode } from '#core/confirmation.ts'
import type { TaskId } from '#core/ids.ts'
import type { Presentation } from '#core/ports/journal.ts'
import { outcomeTicksOf } from '#core/problem-card.ts'
import { type Decision, type TaskFile, ticksOf } from '#core/task-file.ts'
import { DOMAINS, fileNameOf, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { asItems, eachTask } from './each-task.ts'
import type { Knowledge } from './knowledge.ts'
import {
  APPROVED,
  approveTicked,
  isRedraftHalfDone,
  moveTicked,
  recordRejection,
  redraft,
  withdrawLeft,
} from './obey-person.ts'
import { isOutdated } from './outdated-card.ts'
import { present } from './present-card.ts'
import { cardAsShown, isCardOf, type Read, standingCard } from './read-task.ts'
import { explain, leaveUnreadable } from './refuse-file.ts'
import { recordUndone } from './send-back.ts'

/**
 * Puts every draft before the person: the card is rendered in place from the action, its digests are journaled, and a
 * box ticked in a presented file is obeyed. A file that cannot be read as a task gets an explanation on top. Gives the
 * files it could not touch, and why.
 */
export async function presentDrafts(deps: ExecutorDeps): Promise<Held[]> {
  const paths = (await Promise.all(DOMAINS.map((domain) => deps.vault.list(`Pending_Approval/${domain}`)))).flat()
  deps.pending.keepOnly(paths)
  // Once for all of them: it costs a look at the disk, and each act is judged anew.
  const knowledge = await deps.knowledge()
  const held = await eachTask(asItems(paths), deps, ({ path }) => presentDraft(path, knowledge, deps))
  // Once a rejection is recorded, nothing of its card is known any more: those files are not read in every pass.
  const shown = new Set(deps.journal.presentations().map(({ fileName }) => fileName))
  const rejected = (await deps.vault.list('Rejected')).filter((path) => shown.has(fileNameOf(path)))
  held.push(...(await eachTask(asItems(rejected), deps, ({ path }) => recordRejection(path, deps))))
  return [...held, ...(await withdrawLeft(deps))]
}

async function presentDraft(path: VaultPath, knowledge: Knowledge, deps: ExecutorDeps): Promise<string | undefined> {
  const read = await deps.pending.read(path, deps)
  if (read.kind === 'unreadable') return leaveUnreadable(path, read.say, deps)
  if (read.kind === 'gone') return undefined
  if (read.parsed.ok) {
    const { task } = read.parsed
    const stays = await deps.inHand.take(task.front.id, () => presentTask(path, read, task, knowledge, deps))
    return stays ?? (isCodeAwaited(task) ? CODE_AWAITED : undefined)
  }
  const back = deps.journal.sentBack(fileNameOf(path))
  const why = back && back.rule !== 'file-invalid' ? `${back.say} Besides, it` : 'It'
  const { rule, problem } = read.parsed
  await explain(path, read.text, { rule, say: `${why} could not be read: ${problem}.` }, deps)
  return undefined
}

async function presentTask(
  path: VaultPath,
  read: Read,
  task: TaskFile,
  knowledge: Knowledge,
  deps: ExecutorDeps,
): Promise<string | undefined> {
  const { id, generation } = task.front
  const frozen = deps.journal.freezeOf(id)
  if (frozen?.fileName === fileNameOf(path) && !(await takeBack(path, id, frozen.generation, deps))) return undefined
  const back = deps.journal.sentBack(fileNameOf(path))
  const last = deps.journal.presentation(id)
  if (last && last.fileName !== fileNameOf(path) && (await deps.vault.find(last.fileName)))
    return explain(path, read.text, { rule: 'id-twice', say: sayTwice(last.fileName), task: id }, deps)
  const shown = deps.journal.isFromBeforeRestore(id) ? undefined : standingCard(path, id, read, deps)
  if (shown && isRedraftHalfDone(task)) return redraft(path, read, task, deps)
  const isCard = back === undefined && shown?.generation === generation && isCardOf(shown, task)
  const asShown = cardAsShown(path, read, task, deps)
  const isInDoubt = deps.journal.useOf(id, generation) === 'unknown'
  const ticks = ticksOf(task)
  const why = { action: readAction(task), last, back, isInDoubt }
  if (isInDoubt && asShown) {
    const [word, ...others] = outcomeTicksOf(task)
    if (word !== undefined && others.length === 0) return resolve(id, word, deps)
    return word === undefined ? undefined : present(path, read, task, { ...why, say: TWO_BOXES }, deps)
  }
  if (isInDoubt) return present(path, read, task, { ...why, say: undefined }, deps)
  if (ticks.length > 1) return present(path, read, task, { ...why, say: TWO_BOXES }, deps)
  const [tick] = ticks
  // Nothing goes out by these two, so it matters not what else was changed in the same save: notes to the drafter, say.
  if (isCard && tick === 'reject') return moveTicked(path, 'rejected', deps)
  if (isCard && tick === 'redraft') return redraft(path, read, task, deps)
  if (!asShown) return present(path, read, task, { ...why, say: sayChanged(path, read, last, isCard, tick) }, deps)
  const isOld = why.action.ok && isOutdated(task, why.action.action, asShown.shown, knowledge)
  if (tick === undefined && isOld) return present(path, read, task, { ...why, say: sayOutdated(task) }, deps)
  const isApproved = tick === 'approve' && (isOld || !isCodeAwaited(task))
  return isApproved ? approveTicked(path, asShown, deps) : undefined
}

function sayOutdated(task: TaskFile): string {
  const now = 'By your handbook, and whom you have written to, as they are now, it needs'
  return asksForCode(task) ? `${now} no code any more.` : `${now} a code.`
}

const CODE_AWAITED = 'Approve is ticked; it waits for the code of its card, to be typed after "Code:".'

/** Approve is ticked and the code not typed yet, or not to its end: many editors save by themselves meanwhile. */
function isCodeAwaited(task: TaskFile): boolean {
  const isApproved = ticksOf(task).join() === 'approve' && asksForCode(task)
  return isApproved && !isWholeCode(typedCode(task) ?? '')
}

function sayTwice(other: string): string {
  return `It carries the id of another task: ${other}. One of them must go.`
}

const TWO_BOXES = 'You ticked more than one box.'

/** For a file that is not any more what was shown. */
function sayChanged(
  path: VaultPath,
  read: Read,
  last: Presentation | undefined,
  isCard: boolean,
  tick: Decision | undefined,
): string | undefined {
  if (last?.stands && last.fileName === fileNameOf(path) && last.received !== read.received)
    return 'This file changed after it was shown to you: another version of it was received.'
  if (last?.stands && last.folder === APPROVED)
    return 'It had been approved, and came back before it was done. To have it done, approve it again.'
  if (tick === undefined) return undefined
  if (!isCard) return 'A box was ticked in it before this card was made. That did not count.'
  return 'The file was changed together with the tick. This card shows it as it stands now: tick the box again.'
}

/**
 * The file came back out of the undo window (or a crash cut a return short): what was approved counts no more. False
 * while its use is spent and what came of it is still to be found out or told: then reconcile goes on.
 */
async function takeBack(path: VaultPath, id: TaskId, generation: number, deps: ExecutorDeps): Promise<boolean> {
  const state = deps.journal.intentOf(id, generation)?.state
  const isUndone = state === undefined || state === 'intended'
  if (isUndone) {
    const say = 'You took it back before it was done.'
    const at = deps.clock.now()
    deps.journal.sendBack({ fileName: fileNameOf(path), taskId: id, rule: 'undone', say, generation, at })
    await recordUndone({ taskId: id, tool: deps.journal.freezeOf(id)?.tool ?? '' }, deps)
  }
  const isTold = deps.journal.sentBack(fileNameOf(path)) !== undefined
  if (!isUndone && !((state === 'refused' || state === 'unknown') && isTold)) return false
  deps.journal.unfreeze(id)
  return true
}

/** The person's word on an outcome that nobody could tell; reconcile goes on from there. */
async function resolve(taskId: TaskId, word: 'done' | 'not-done', deps: ExecutorDeps): Promise<undefined> {
  const at = deps.clock.now()
  const answer = word === 'done' ? 'you said that it was done' : 'you said that it was not done'
  const state = word === 'done' ? 'accepted' : 'refused'
  if (!deps.journal.resolve(taskId, { state, answer, at })) return
  await deps.ledger.append('execution.resolved', { task: taskId, data: { word } })
  deps.log.info({ task: taskId, outcome: state }, 'the person told the outcome')
}
