import {
  actionDigest,
  channelOf,
  isPrivateTool,
  parseAction,
  partsOf,
  readAction,
  type ToolName,
} from '#core/action.ts'
import { withHistory } from '#core/claim.ts'
import { CountersignError, isAway } from '#core/errors.ts'
import { isDone } from '#core/execution.ts'
import { sameAddress } from '#core/look-alike.ts'
import { withDoneNotice } from '#core/notice.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { Intent } from '#core/ports/journal.ts'
import { oneLine } from '#core/quote.ts'
import { type Restored, sayApprovedBefore } from '#core/restore-epoch.ts'
import { renderTaskFile, type TaskFile, withFront } from '#core/task-file.ts'
import { fileNameOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'
import { BEING_CHANGED, type Read, readTask } from './read-task.ts'
import { rememberEdit } from './remember-edit.ts'
import { sendBack } from './send-back.ts'

/**
 * After the provider took it: the outcome into the file, the ledger, Done/. Each step may already have been made before
 * a crash; none is made twice, except that a crash (or a save of the person) between ledger and file writes the ledger's
 * entry again. Gives why it must wait.
 */
export async function finishAccepted(intent: Intent, deps: ExecutorDeps): Promise<string | undefined> {
  const at = new Date(intent.updatedAt).toISOString()
  if (intent.action !== undefined) {
    const { recipients } = partsOf(parseAction(intent.action))
    deps.journal.rememberRecipients(recipients.map(sameAddress), intent.updatedAt)
  }
  const path = await deps.vault.find(intent.fileName)
  if (path && !path.startsWith('Done/')) {
    const read = await readTask(path, deps)
    // The person moved it this very moment: the next look finds where to.
    if (read.kind === 'gone') return BEING_CHANGED
    const text = read.kind === 'read' ? withOutcome(read, intent, at, deps) : undefined
    // What was done is whole; anything else may be half of what the person is saving.
    if (read.kind === 'read' && text !== undefined && !isAsDone(read, intent) && !deps.isQuiet(path, read.text))
      return BEING_CHANGED
    if (!(read.kind === 'read' && text === undefined)) await recordDone(intent, deps)
    if (
      read.kind === 'read' &&
      text !== undefined &&
      (await deps.vault.replaceIf(path, read.text, text)) !== 'replaced'
    )
      return BEING_CHANGED
    if (!(await moveToDone(path, at.slice(0, 7), deps))) return BEING_CHANGED
  } else if (!path) {
    await recordDone(intent, deps)
    deps.log.warn({ task: intent.taskId }, 'a task was executed whose file is gone from the vault')
  }
  await rememberEdit(intent, deps)
  deps.journal.withdraw(intent.taskId)
  deps.journal.forgetDraft(intent.taskId)
  deps.journal.unfreeze(intent.taskId)
  return undefined
}

function isAsDone(read: Read, intent: Intent): boolean {
  const action = read.parsed.ok ? readAction(read.parsed.task) : undefined
  const approved = intent.receipt.filled?.approved ?? intent.digest
  return action?.ok === true && actionDigest(action.action) === approved
}

/** What is left to do at the provider after Done/. Gives why it must wait. */
export async function settleAccepted(
  intent: Intent,
  channel: Channel,
  deps: ExecutorDeps,
): Promise<string | undefined> {
  try {
    await channel.settle(intent)
    deps.journal.settle(intent.taskId, intent.generation, { state: 'done', at: deps.clock.now() })
    return undefined
  } catch (error) {
    if (!isAway(error)) throw error
    return `It was done, but what belongs to it (such as the copy in Sent) must wait: ${error.message}. ${error.hint}`
  }
}

/**
 * The use is spent and no answer came: the provider is asked by the journaled key. Found: it was done. Not found: nobody
 * can tell, and the person decides. Never done again by itself. Gives why it must wait.
 */
export async function resolveDoubt(intent: Intent, channel: Channel, deps: ExecutorDeps): Promise<string | undefined> {
  const { taskId, generation } = intent
  const now = deps.clock.now()
  try {
    const found = await lookUp(intent, channel)
    if (found.kind === 'done') {
      const { kind: _, ...outcome } = found
      deps.metrics.count('countersign_duplicates_prevented_total', { how: 'found' })
      deps.journal.settle(taskId, generation, { state: 'accepted', ...outcome, at: now })
      return undefined
    }
    if (found.kind === 'handed-over') {
      deps.journal.settle(taskId, generation, { state: 'unknown', answer: handedOver(found.say), at: now })
      return undefined
    }
  } catch (error) {
    if (!isAway(error)) throw error
    return `It may have been done; where that can be seen cannot be looked at: ${error.message}. ${error.hint}`
  }
  if (now < intent.updatedAt + deps.lookUpGraceMs) return 'It may have been done; looking for it.'
  const answer = intent.answer ?? 'no answer, and not to be found'
  deps.journal.settle(taskId, generation, { state: 'unknown', answer, at: now })
  return undefined
}

/** After a restore it may also have been done under a later generation, of which the backup knows nothing. */
async function lookUp(intent: Intent, channel: Channel): ReturnType<Channel['lookUp']> {
  const found = await channel.lookUp(intent)
  if (found.kind !== 'not-found' || !intent.answer?.startsWith(APPROVED_BEFORE) || intent.action === undefined)
    return found
  const { taskId, generation } = intent
  for (let later = 1; later <= LATER_GENERATIONS; later++) {
    const key = channel.keyOf({ taskId, generation: generation + later }, parseAction(intent.action))
    const again = await channel.lookUp({ ...intent, key })
    if (again.kind !== 'not-found') return again
  }
  return found
}

/**
 * Refused by the provider: back before the person with what to do, under a new generation. Outcome unknown: back with the
 * question whether it was done. Gives why it must wait.
 */
export async function returnUndone(intent: Intent, deps: ExecutorDeps): Promise<string | undefined> {
  const path = await deps.vault.find(intent.fileName)
  const say = intent.state === 'unknown' ? sayUnknown(intent, deps) : sayRefused(intent)
  // A use that may have been made stays the last one until the person says that it was not.
  const generation = intent.state === 'unknown' ? intent.generation : intent.generation + 1
  const reason = { rule: `outcome-${intent.state}`, say, generation }
  if (path?.startsWith(`In_Progress/${deps.agent}/`)) {
    const read = await readTask(path, deps)
    if (read.kind === 'unreadable') return read.say
    if (read.kind === 'read' && !(await sendBack(path, read, reason, deps))) return say
  } else {
    // The person moved it meanwhile: the reason reaches them with the next card.
    const { taskId, fileName } = intent
    deps.journal.sendBack({ fileName, taskId, ...reason, at: deps.clock.now() })
  }
  const type = intent.state === 'unknown' ? 'execution.unknown' : 'execution.refused'
  await deps.ledger.append(type, {
    task: intent.taskId,
    data: { key: intent.key, reason: toldAnswer(intent) },
  })
  deps.metrics.count('countersign_executions_total', {
    tool: intent.receipt.tool as ToolName,
    outcome: intent.state === 'unknown' ? 'unknown' : 'failed',
  })
  deps.log.warn({ task: intent.taskId, outcome: intent.state, reason: intent.answer }, 'an approved task was not done')
  deps.journal.unfreeze(intent.taskId)
  return undefined
}

function sayRefused(intent: Intent): string {
  return `It was refused and nothing was done: ${intent.answer ?? 'no reason given'}. Correct what it names and approve again.`
}

const HANDED_OVER = 'handed over: '

/** The journal's word for what was made ready, and is finished by the person: nobody else can tell whether it was. */
export function handedOver(say: string): string {
  return `${HANDED_OVER}${oneLine(say, 500)}`
}

const APPROVED_BEFORE = 'restored: '
/** More often than this nobody has had a task refused and approved it anew. */
const LATER_GENERATIONS = 4

/** The journal's word for what was approved before a restore: it may have been done since the backup was made. */
export function approvedBefore(restored: Restored): string {
  return `${APPROVED_BEFORE}${sayApprovedBefore(restored)}`
}

/** For the card that asks. */
export function sayUnknown(intent: Intent, deps: Pick<ExecutorDeps, 'channels'>): string {
  if (intent.answer?.startsWith(HANDED_OVER)) return intent.answer.slice(HANDED_OVER.length)
  const at = new Date(intent.intendedAt).toISOString()
  const channel = deps.channels.find((one) => one.name === channelOf(intent.receipt.tool))
  if (intent.answer?.startsWith(APPROVED_BEFORE)) {
    const where = channel?.sayWhereToLook({ ...intent, answer: undefined }) ?? ''
    return `${intent.answer.slice(APPROVED_BEFORE.length)} ${where}`.trim()
  }
  return `Outcome unknown: this may have been done at ${at}. ${channel?.sayWhereToLook(intent) ?? ''}`
}

/**
 * The text with the outcome in its front matter, or undefined when it already stands there. Front matter that another zone
 * filled to the brim gets the least of it, or a note on top: what was done is recorded, whatever the file holds.
 */
function withOutcome(read: Read, intent: Intent, at: string, deps: ExecutorDeps): string | undefined {
  if (!read.parsed.ok)
    return withDoneNotice(read.text, `It was executed at ${at} (${intent.key}), before it was broken.`)
  const { task } = read.parsed
  // Of a file that says so the act would have been refused: it is ours. The key alone others can know beforehand.
  if (isDone(task) && task.front.outcome?.key === intent.key) return undefined
  const [, ...missed] = (intent.answer ?? '').split('\n')
  const outcome = {
    status: 'done',
    at,
    key: intent.key,
    ...(intent.link && { link: intent.link }),
    ...intent.facts,
    digest: intent.digest,
    reason: inOneLine(intent.answer).slice(0, 500),
    ...(missed.length > 0 && { missed }),
    receipt: intent.receipt,
  }
  const done = () => withDecision(withFront(task, { outcome, generation: intent.generation }), intent, at, deps)
  const least = () => withFront(task, { presented: undefined, outcome: { status: 'done', at, key: intent.key } })
  const fitting = ifItFits(done) ?? ifItFits(least)
  return fitting
    ? renderTaskFile(fitting)
    : withDoneNotice(read.text, `It was executed at ${at} (${intent.key}); the file has no room for more.`)
}

function ifItFits(make: () => TaskFile): TaskFile | undefined {
  try {
    return make()
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID') return undefined
    throw error
  }
}

/** Approve and execution are told in one go: while the task was on its way, its file was only moved. */
function withDecision(task: TaskFile, intent: Intent, at: string, deps: ExecutorDeps): TaskFile {
  const intendedAt = new Date(intent.intendedAt).toISOString()
  const approved = withHistory(task, `In_Progress/${deps.agent}`, deps.agent, intendedAt)
  return withHistory(approved, `Done/${at.slice(0, 7)}`, deps.agent, at)
}

async function recordDone(intent: Intent, deps: ExecutorDeps): Promise<void> {
  const { taskId, digest, key, receipt } = intent
  await deps.ledger.append('execution.done', {
    task: taskId,
    data: { digest, key, answer: toldAnswer(intent), receipt },
  })
  const since = Math.max(deps.journal.freezeOf(taskId)?.undoUntil ?? intent.intendedAt, deps.heldUntil.get(taskId) ?? 0)
  deps.heldUntil.delete(taskId)
  deps.metrics.observe('countersign_approval_to_execution_seconds', (intent.updatedAt - since) / 1000, {})
  deps.metrics.count('countersign_executions_total', { tool: receipt.tool as ToolName, outcome: 'done' })
  deps.metrics.count('countersign_tasks_total', { outcome: 'done' })
  deps.log.info({ task: taskId }, 'executed an approved task')
}

/** The answer as the ledger has it, which goes to the hub: of a private task, nothing that the provider or the bank said. */
function toldAnswer({ answer, receipt }: Intent): string {
  return isPrivateTool(receipt.tool) ? 'kept on this machine' : inOneLine(answer)
}

function inOneLine(answer = ''): string {
  return answer.replaceAll('\n', '; ')
}

/** False when it does not stand there any more. */
async function moveToDone(path: VaultPath, month: string, deps: ExecutorDeps): Promise<boolean> {
  const moved = await deps.vault.move(path, taskPath({ kind: 'done', month }, fileNameOf(path)))
  if (moved === 'exists') deps.log.warn({ path }, 'a file of this name is in Done already')
  return moved !== 'gone'
}
