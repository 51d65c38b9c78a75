import { channelOf } from '#core/action.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { Freeze, Intent } from '#core/ports/journal.ts'
import { section } from '#core/task-file.ts'
import { fileNameOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held, Stay } from './deps.ts'
import { asItems, eachTask } from './each-task.ts'
import { executeApproved } from './execute-approved.ts'
import { finishAccepted, resolveDoubt, returnUndone, settleAccepted } from './finish-execution.ts'
import { readTask } from './read-task.ts'
import { sendBack } from './send-back.ts'

/**
 * Brings every frozen task of one channel one journaled state further, as far as it goes now: what was never attempted is
 * executed when due, what is in doubt is looked up, what was accepted is finished, what came to nothing goes back to the
 * person. The same function serves the ordinary course and the start after a crash. `onStep` is called after each
 * task. Gives what stands still, and why.
 */
export async function reconcile(channel: Channel, deps: ExecutorDeps, onStep: () => void): Promise<Held[]> {
  const own = deps.journal.freezes().filter((freeze) => channelOf(freeze.tool) === channel.name)
  const frozen = own.map((freeze) => ({ freeze, path: pathOf(freeze, deps) }))
  const held = await eachTask(frozen, deps, ({ freeze }) =>
    deps.inHand.take(freeze.taskId, () => settle(freeze, channel, deps)).finally(onStep),
  )
  // After Done/: a provider that is away keeps no task waiting, only what follows (the copy in Sent).
  const unsettled = deps.journal
    .intentsIn('accepted')
    .filter((intent) => channelOf(intent.receipt.tool) === channel.name && !deps.journal.freezeOf(intent.taskId))
    .map((intent) => ({ intent, path: intent.fileName }))
  return [...held, ...(await eachTask(unsettled, deps, ({ intent }) => settleAccepted(intent, channel, deps)))]
}

/** What is frozen for a channel that this machine has not (any more). */
export function withoutChannel(deps: ExecutorDeps): Held[] {
  const names = deps.channels.map((channel) => channel.name)
  return deps.journal
    .freezes()
    .filter((freeze) => !names.some((name) => name === channelOf(freeze.tool)))
    .map((freeze) => ({ path: pathOf(freeze, deps), say: `This machine is not set up for ${freeze.tool}.` }))
}

async function settle(freeze: Freeze, channel: Channel, deps: ExecutorDeps): Promise<Stay | string | undefined> {
  // As it stands now: it may have been taken back while it waited for its turn.
  if (deps.journal.freezeOf(freeze.taskId)?.frozenAt !== freeze.frozenAt) return undefined
  const intent = () => deps.journal.intentOf(freeze.taskId, freeze.generation)
  const before = intent()
  if (before === undefined || before.state === 'intended') {
    const outcome = await executeApproved(freeze, channel, deps)
    if (outcome.kind === 'held' && outcome.until !== undefined) deps.heldUntil.set(freeze.taskId, outcome.until)
    if (outcome.kind === 'held') return { say: outcome.say, until: outcome.until }
    if (outcome.kind !== 'attempted') return undefined
  }
  const inDoubt = intent()
  if (inDoubt?.state === 'consumed') {
    const say = await resolveDoubt(inDoubt, channel, deps)
    if (say !== undefined) return say
  }
  const after = intent()
  return after && finish(after, deps)
}

async function finish(intent: Intent, deps: ExecutorDeps): Promise<string | undefined> {
  switch (intent.state) {
    case 'accepted':
    case 'done':
      return finishAccepted(intent, deps)
    case 'refused':
    case 'unknown':
      return returnUndone(intent, deps)
    case 'intended':
    case 'consumed':
      return undefined
  }
}

/** Presented drafts that stand among the work without having been picked up: nobody approved them. */
export async function returnStrays(deps: ExecutorDeps): Promise<Held[]> {
  const strays = await deps.vault.list(`In_Progress/${deps.agent}`)
  return eachTask(asItems(strays), deps, ({ path }) => returnStray(path, deps))
}

async function returnStray(path: VaultPath, deps: ExecutorDeps): Promise<string | undefined> {
  const read = await readTask(path, deps)
  if (read.kind !== 'read' || !read.parsed.ok) return undefined
  const { task } = read.parsed
  // Without a card it is no draft yet, but work this zone has claimed.
  if (task.front.action === undefined || section(task, 'card') === undefined) return undefined
  const say = 'It stood among the work without being approved. To approve it, tick the box or move it to Approved.'
  await deps.inHand.take(task.front.id, async () => {
    const isFrozen = deps.journal.freezeOf(task.front.id)?.fileName === fileNameOf(path)
    // It may have been finished since it was read.
    if (!isFrozen && (await deps.vault.exists(path))) await sendBack(path, read, { rule: 'not-approved', say }, deps)
  })
  return undefined
}

function pathOf(freeze: Freeze, deps: ExecutorDeps): string {
  return taskPath({ kind: 'in-progress', agent: deps.agent }, freeze.fileName)
}
