import { type Action, channelOf, type ToolName } from '#core/action.ts'
import { type Receipt, signReceipt } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import type { ExecutionVerdict } from '#core/execution.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { Freeze } from '#core/ports/journal.ts'
import { oneLine } from '#core/quote.ts'
import { type Report, reportSchema } from '#core/report.ts'
import { isBeforeRestore, type Restored } from '#core/restore-epoch.ts'
import { taskPath, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Stay } from './deps.ts'
import { fillIn, type Ready } from './fill-in.ts'
import { approvedBefore, handedOver } from './finish-execution.ts'
import { BEING_CHANGED, isHalted, judge, type Read, readTask } from './read-task.ts'
import { leaveAlone, leaveUnreadable } from './refuse-file.ts'
import { recordUndone, sendBack } from './send-back.ts'

type Permitted = Extract<ExecutionVerdict, { kind: 'permitted' }>

export type ExecuteOutcome =
  /** The undo window is open, or something keeps the task where it is. */
  | ({ readonly kind: 'held' } & Stay)
  | { readonly kind: 'undone' }
  /** Back before the person; nothing was done. */
  | { readonly kind: 'returned'; readonly rule: string }
  /** The one use is spent: the journal's intent says what came of it, and reconcile finishes it. */
  | { readonly kind: 'attempted' }

/**
 * Does one frozen task, once its undo window has passed: reads the file a last time, judges it, countersigns exactly
 * what was read, journals the intent, and has its channel do it. Nothing here trusts what rang: a task without a
 * freeze in the journal is never executed.
 */
export async function executeApproved(freeze: Freeze, channel: Channel, deps: ExecutorDeps): Promise<ExecuteOutcome> {
  const path = taskPath({ kind: 'in-progress', agent: deps.agent }, freeze.fileName)
  const read = await readTask(path, deps)
  if (read.kind === 'gone') return takenAway(freeze, deps)
  if (read.kind === 'unreadable') return { kind: 'held', say: await leaveUnreadable(path, read.say, deps) }
  const until = freeze.undoUntil
  if (deps.clock.now() < until)
    return { kind: 'held', say: `goes out after ${new Date(until).toISOString()} unless you move it back`, until }
  const isSame = read.parsed.ok && read.parsed.task.front.id === freeze.taskId
  const verdict = await judge(path, read, deps)
  if (verdict.kind === 'refused' && verdict.next === 'hold')
    return { kind: 'held', say: verdict.say, until: verdict.until }
  if (verdict.kind === 'refused' || !isSame || !isFrozen(verdict, freeze)) {
    if (!deps.isQuiet(path, read.text)) return { kind: 'held', say: BEING_CHANGED }
    const reason = verdict.kind === 'refused' ? verdict : CHANGED
    return giveBack(freeze, path, read, reason, deps)
  }
  if (!(await channel.isReady())) return { kind: 'held', say: channel.problems().join(' ') }
  const { task } = verdict
  const ready = await fillIn(verdict, deps)
  if (ready.kind === 'stale') return giveBack(freeze, path, read, ready, deps)
  const { action } = ready
  const key = channel.keyOf(freeze, action)
  const { bornAt, restored } = deps.journal
  if (restored && deps.journal.isFromBeforeRestore(freeze.taskId))
    return spendWithoutActing(freeze, ready, { key, shownAt: shownAt(freeze, deps), restored }, deps)
  // A journal that was lost and made anew, or restored, knows nothing of what was done before.
  // Nor is a date believed that lies ahead: the cloud wrote it.
  const createdAt = Date.parse(task.front.created)
  const isOlderThan = (at: number) => isBeforeRestore(createdAt, { at, backupOf: undefined }, deps.clock.now())
  const age = await deps.ownAge.look()
  if (age.kind === 'asking' && isOlderThan(age.since)) return { kind: 'held', say: HUB_ASKED, until: age.until }
  const forgotten = age.kind === 'unknown' ? age.since : 0
  const isOld = isOlderThan(Math.max(bornAt, restored?.at ?? 0, forgotten))
  const world = await channel.lookAtTheWorld({ task, action, key, isOld })
  if (world.kind === 'cannot-tell') return { kind: 'held', say: world.say }
  if (world.kind === 'stale') return giveBack(freeze, path, read, world, deps)
  return attempt(freeze, path, read.text, ready, { key, channel }, deps)
}

function isFrozen({ task, action }: Permitted, freeze: Freeze): boolean {
  return task.front.generation === freeze.generation && channelOf(action.tool) === channelOf(freeze.tool)
}

async function giveBack(
  freeze: Freeze,
  path: VaultPath,
  read: Read,
  reason: { rule: string; say: string },
  deps: ExecutorDeps,
): Promise<ExecuteOutcome> {
  if (!(await sendBack(path, read, reason, deps))) return { kind: 'held', say: reason.say }
  deps.journal.unfreeze(freeze.taskId)
  await recordRefusal(freeze, reason.rule, deps)
  return { kind: 'returned', rule: reason.rule }
}

const HUB_ASKED = 'The hub is asked first whether this machine was set back to an older state.'
const CHANGED = {
  rule: 'task-changed',
  say: 'The id or the generation of this file changed after you approved it.',
}

async function attempt(
  freeze: Freeze,
  path: VaultPath,
  text: string,
  ready: Ready,
  { key, channel }: { key: string; channel: Channel },
  deps: ExecutorDeps,
): Promise<ExecuteOutcome> {
  const receipt = await intend(freeze, ready, key, deps.clock.now(), deps)
  // The last look before the act: looking at the world took its time.
  deps.ownAge.demandNewest()
  if (await isHalted(deps)) return { kind: 'held', say: 'HALT.md stands in the vault.' }
  if ((await deps.vault.read(path)) !== text) return { kind: 'held', say: BEING_CHANGED }
  const report = await act(channel, ready.action, receipt, deps)
  return record(freeze, report, deps)
}

/** Countersigns, and journals what is about to be done. */
async function intend(
  { taskId, generation, fileName }: Freeze,
  { action, digest, filled }: Ready,
  key: string,
  intendedAt: number,
  deps: ExecutorDeps,
): Promise<Receipt> {
  const now = deps.clock.now()
  const receipt = signReceipt(
    {
      audience: deps.audience,
      task: taskId,
      tool: action.tool,
      digest,
      ...(filled && { filled }),
      nonce: deps.nonce(),
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + deps.receiptMs).toISOString(),
    },
    deps.signingKey,
  )
  const intent = { taskId, generation, fileName, digest, key, receipt, intendedAt }
  deps.journal.intend({ ...intent, action: JSON.stringify(action) })
  await deps.ledger.append('execution.intended', {
    task: taskId,
    data: { generation, digest, key, nonce: receipt.nonce, ...filled },
  })
  return receipt
}

/**
 * What was approved before a restore may have been done since the backup. Its use is spent without the act, so that only
 * the provider, asked from the moment on in which it was shown, or the person can say what became of it.
 */
async function spendWithoutActing(
  freeze: Freeze,
  ready: Ready,
  { key, shownAt, restored }: { key: string; shownAt: number; restored: Restored },
  deps: ExecutorDeps,
): Promise<ExecuteOutcome> {
  const receipt = await intend(freeze, ready, key, shownAt, deps)
  deps.journal.consume(receipt, deps.clock.now())
  deps.journal.noteDoubt(freeze.taskId, freeze.generation, approvedBefore(restored))
  return { kind: 'attempted' }
}

/** The earliest moment at which it can have been done. */
function shownAt({ taskId, frozenAt }: Freeze, { journal }: ExecutorDeps): number {
  return Math.min(frozenAt, journal.presentation(taskId)?.at ?? frozenAt)
}

/** What the tool reported; undefined when it is not known what became of the call. */
async function act(
  channel: Channel,
  action: Action,
  receipt: Receipt,
  deps: ExecutorDeps,
): Promise<Report | undefined> {
  try {
    const parsed = reportSchema.safeParse(await channel.act(action, receipt))
    return parsed.success ? parsed.data : undefined
  } catch (error) {
    deps.log.error({ task: receipt.task, tool: action.tool, err: error }, 'the call of the tool failed')
    return undefined
  }
}

/** Journals the answer. Whether the use was spent is the journal's word, not the tool's. */
async function record(freeze: Freeze, report: Report | undefined, deps: ExecutorDeps): Promise<ExecuteOutcome> {
  const { taskId, generation } = freeze
  const at = deps.clock.now()
  if (report?.outcome === 'refused' && report.code === 'ERR_FENCED') {
    deps.metrics.count('countersign_duplicates_prevented_total', { how: 'fenced' })
    throw new CountersignError('ERR_FENCED', `doing ${taskId}: ${report.reason}`)
  }
  if (deps.journal.intentOf(taskId, generation)?.state !== 'consumed') {
    const reason = report?.outcome === 'refused' ? `${report.code}, ${report.reason}` : 'the tool gave no answer'
    deps.log.error({ task: taskId, reason }, 'the tool did nothing')
    const say = `Nothing was done: ${reason}.`
    if (report?.outcome !== 'refused') return { kind: 'held', say }
    const path = taskPath({ kind: 'in-progress', agent: deps.agent }, freeze.fileName)
    return { kind: 'held', say: await leaveAlone(path, { rule: report.reason.slice(0, 60), say, task: taskId }, deps) }
  }
  if (report?.outcome === 'accepted') {
    // A line for the whole, and one for each part that was not done.
    const answer = [report.answer, ...report.missed].map((part) => oneLine(part, 250)).join('\n')
    deps.journal.settle(taskId, generation, {
      state: 'accepted',
      answer,
      ...(report.link && { link: report.link }),
      ...(report.facts && { facts: report.facts }),
      at,
    })
  }
  if (report?.outcome === 'handed-over')
    deps.journal.settle(taskId, generation, { state: 'unknown', answer: handedOver(report.say), at })
  if (report?.outcome === 'unknown') deps.journal.noteDoubt(taskId, generation, oneLine(report.reason, 400))
  // A receipt found spent was used by another call: what came of that one is looked up.
  if (report?.outcome === 'refused' && report.code === 'ERR_COUNTERSIGNATURE_INVALID')
    deps.metrics.count('countersign_duplicates_prevented_total', { how: 'spent' })
  if (report?.outcome === 'refused' && report.code !== 'ERR_COUNTERSIGNATURE_INVALID')
    deps.journal.settle(taskId, generation, { state: 'refused', answer: `${report.code}: ${report.reason}`, at })
  return { kind: 'attempted' }
}

async function takenAway(freeze: Freeze, deps: ExecutorDeps): Promise<ExecuteOutcome> {
  const now = await deps.vault.find(freeze.fileName)
  // Still in Approved/: the move of a crashed freeze is to be made again. In Pending_Approval/: presentDrafts' business.
  if (now?.startsWith('Approved/') || now?.startsWith('Pending_Approval/')) return { kind: 'undone' }
  deps.journal.unfreeze(freeze.taskId)
  // After a restore sync brings what became of it.
  if (!now?.startsWith('Done/')) await recordUndone(freeze, deps)
  return { kind: 'undone' }
}

async function recordRefusal(freeze: Freeze, rule: string, deps: ExecutorDeps): Promise<void> {
  await deps.ledger.append('execution.refused', { task: freeze.taskId, data: { generation: freeze.generation, rule } })
  deps.metrics.count('countersign_executions_total', { tool: freeze.tool as ToolName, outcome: 'refused' })
}
