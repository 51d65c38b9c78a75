import type { ChannelName } from '#core/action.ts'
import { CountersignError } from '#core/errors.ts'
import type { ExecutorReport } from '#core/executor-report.ts'
import type { Channel } from '#core/ports/channel.ts'
import { REVIEW_SHEET } from '#core/vault-path.ts'
import type { ServiceContext } from '#runtime/service.ts'
import { tellBounces } from './bounces.ts'
import type { ExecutorDeps, Held, WiredDeps } from './deps.ts'
import { eachTask } from './each-task.ts'
import { freezeApproved } from './freeze-approved.ts'
import { inHand } from './in-hand.ts'
import { joinMessages } from './join-message.ts'
import { handbookProblems } from './knowledge.ts'
import type { PersonNotifier } from './notify-person.ts'
import { presentDrafts } from './present-drafts.ts'
import { quietFiles } from './quiet-files.ts'
import { pendingReader } from './read-pending.ts'
import { isHalted } from './read-task.ts'
import { reconcile, returnStrays, withoutChannel } from './reconcile.ts'
import { forgetLeft } from './refuse-file.ts'
import { obeyReview } from './review-sheet.ts'
import { runPasses } from './run-passes.ts'
import { takeInbox } from './take-inbox.ts'
import { updateDashboard } from './update-dashboard.ts'
import { writePlans } from './write-plans.ts'
import { readZoneNews } from './zone-news.ts'

const WATCHED = [
  'Inbox',
  'Pending_Approval',
  'Approved',
  'Rejected',
  'In_Progress',
  'Needs_Action',
  'Done',
  'Updates',
] as const
/** HALT.md and Review.md stand at the vault's root, which is not watched: a look a second keeps a promise of two. */
const ROOT_LOOK_MS = 1_000
/** How often a provider that was away is looked at; its channel's own back-off decides whether it is asked. */
const CHANNEL_LOOK_MS = 1_000
/** How often it is looked whether sync has held this machine's state against the hub, while something waits for that. */
const AGE_LOOK_MS = 200
/** Editors that save in place are done within milliseconds; a busy disk takes longer. */
const QUIET_MS = 500
/** Editors also save while somebody writes, and what they write has pauses. */
const NOTE_QUIET_MS = 30_000
/** A round that talks to a silent provider takes its limits; longer than all of them together is a hang. */
const MAX_PASS_MS = 300_000
const MAX_TIMER_MS = 2 ** 31 - 2

export interface RunOptions {
  readonly config: { readonly reconcileMs: number; readonly state: string; readonly inboxQuietMs?: number }
  /** Everyone who may leave notes in Updates/. */
  readonly agents: readonly string[]
  /** Hears what the dashboard shows, and tells the person of what cannot wait for them to look. */
  readonly person?: Pick<PersonNotifier, 'consider' | 'state'>
  /** Keeps what only this process knows where `countersign status` finds it. Never rejects. */
  readonly report?: (report: ExecutorReport) => Promise<void>
}

/** What stands still in each channel since its last round. */
type HeldBy = Map<ChannelName, readonly Held[]>

/**
 * Runs the executor: one pass over the vault and one round of each channel at the start, after every change of the vault,
 * when an undo window or any other hold ends, when `wake` is called, and every `reconcileMs`. Each channel has its own loop, so that a
 * silent provider keeps nothing else waiting. Gives `wake`. Without its journal the service ends.
 */
export async function runExecutor(
  wired: WiredDeps,
  service: Pick<ServiceContext, 'resources' | 'progress' | 'fail'>,
  options: RunOptions,
): Promise<() => void> {
  const { reconcileMs } = options.config
  const isQuiet = service.resources.use(quietFiles({ quietMs: QUIET_MS, wake: () => passes.wake() }))
  const isNoteQuiet = service.resources.use(
    quietFiles({ quietMs: options.config.inboxQuietMs ?? NOTE_QUIET_MS, wake: () => passes.wake() }),
  )
  const deps: ExecutorDeps = {
    ...wired,
    isQuiet,
    isNoteQuiet,
    inHand: inHand(() => passes.wake()),
    pending: pendingReader(),
  }
  deps.metrics.since('countersign_canary_age_seconds', deps.clock.now(), {})
  const heldBy: HeldBy = new Map()
  const loop = (name: string, pass: (beat: () => void) => Promise<void>) => {
    const beat = service.progress(name, reconcileMs + MAX_PASS_MS)
    const onFault = (error: unknown) => {
      deps.log.error({ err: error }, 'a pass could not be finished')
      if (error instanceof CountersignError && ['ERR_FENCED', 'ERR_JOURNAL_FAILED'].includes(error.code))
        service.fail(error)
    }
    return service.resources.use(runPasses(() => pass(beat).then(beat), onFault))
  }
  const loops = deps.channels.map((channel) =>
    loop(channel.name, async (beat) => {
      const held = await channelRound(channel, deps, beat)
      const isNews = JSON.stringify(held) !== JSON.stringify(heldBy.get(channel.name) ?? [])
      heldBy.set(channel.name, held)
      if (isNews) passes.wake()
    }),
  )
  const wakeChannels = () => {
    for (const one of loops) one.wake()
  }
  // Both: what is frozen goes at once, what stands in Approved/ is taken up.
  const wakeAll = () => {
    wakeChannels()
    passes.wake()
  }
  let due: NodeJS.Timeout | undefined
  const passes = loop('passes', async () => {
    const held = await vaultPass(deps)
    wakeChannels()
    const all = [...held, ...[...heldBy.values()].flat()]
    await tell(all, deps, options)
    clearTimeout(due)
    const frozen = deps.journal.freezes()
    const undoEnds = frozen.map((freeze) => freeze.undoUntil)
    const oldest = Math.min(...frozen.map((one) => Math.max(one.undoUntil, deps.heldUntil.get(one.taskId) ?? 0)))
    deps.metrics.since('countersign_task_oldest_age_seconds', frozen.length > 0 ? oldest : undefined, {
      state: 'approved',
    })
    const next = nextEnd([...all.map(({ until }) => until), ...undoEnds], deps.clock.now())
    if (next !== undefined) due = setTimeout(wakeAll, next + 1)
  })
  service.resources.defer(() => clearTimeout(due))
  service.resources.use(await deps.vault.watch([...WATCHED], passes.wake))
  every(reconcileMs, passes.wake, service)
  // Beside the rounds: waiting for a silent provider must keep nothing else waiting.
  for (const channel of deps.channels) {
    const ask = async () => {
      if (await channel.isReady()) passes.wake()
    }
    const askAgain = async () => {
      const before = channel.problems().length
      if (before === 0 || !(await channel.isReady())) return
      // A channel of several accounts is ready while one of them is still away.
      if (channel.problems().length < before) passes.wake()
    }
    every(CHANNEL_LOOK_MS, () => void askAgain().catch(service.fail), service)
    ask().catch(service.fail)
  }
  let last = await seenAtRoot(deps).catch(() => '')
  const lookAtRoot = async () => {
    const now = await seenAtRoot(deps).catch(() => last)
    if (now !== last) passes.wake()
    last = now
  }
  every(ROOT_LOOK_MS, () => void lookAtRoot(), service)
  // Sync tells in a file of the state, which is not watched.
  const lookAtAge = async () => {
    if (deps.ownAge.isAsking() && (await deps.ownAge.look()).kind !== 'asking') wakeAll()
  }
  every(AGE_LOOK_MS, () => void lookAtAge().catch(service.fail), service)
  await passes.settled()
  return passes.wake
}

/** How long (ms) until the first of these moments that is still to come; a longer time than timers take is cut. */
export function nextEnd(moments: readonly (number | undefined)[], now: number): number | undefined {
  const waits = moments.map((at) => (at ?? 0) - now).filter((ms) => ms > 0)
  return waits.length === 0 ? undefined : Math.min(...waits, MAX_TIMER_MS)
}

/** One look at everything, one after the other: the vault, the work under way in each channel, the dashboard. */
export async function onePass(deps: ExecutorDeps, options: RunOptions): Promise<void> {
  const held = await vaultPass(deps)
  for (const channel of deps.channels) held.push(...(await channelRound(channel, deps, () => {})))
  await tell(held, deps, options)
}

/**
 * Cards and ticks, approvals, what stands among the work unasked. A folder that cannot be looked through is told of and
 * keeps nothing else waiting.
 */
async function vaultPass(deps: ExecutorDeps): Promise<Held[]> {
  demandNewest(deps)
  await tellRestore(deps)
  await forgetLeft(deps)
  const held: Held[] = []
  const look = async (path: string, step: () => Promise<Held[]>) => {
    const fault = await eachTask([{ path }], deps, async () => {
      held.push(...(await step()))
      return undefined
    })
    held.push(...fault)
  }
  await look('Inbox', () => takeInbox(deps))
  // Before the cards: what is to be drafted anew is not put before the person first.
  await look(`In_Progress/${deps.agent}`, () => joinMessages(deps))
  await look('Pending_Approval', () => presentDrafts(deps))
  await look(REVIEW_SHEET, () => obeyReview(deps))
  await look('Approved', () => freezeApproved(deps))
  await look('Done', () => tellBounces(deps))
  await look(`In_Progress/${deps.agent}`, () => returnStrays(deps))
  return [...held, ...withoutChannel(deps)]
}

/** Before anything else is said in the ledger. */
async function tellRestore({ journal, ledger, log }: ExecutorDeps): Promise<void> {
  const { restored } = journal
  if (!restored || !journal.isRestoreUntold()) return
  const backup = restored.backupOf === undefined ? '' : new Date(restored.backupOf).toISOString()
  await ledger.append('machine.restored', { data: { at: new Date(restored.at).toISOString(), backup } })
  journal.restoreTold()
  log.warn({ reason: backup }, 'this machine was restored: nothing approved before is done by itself')
}

function channelRound(channel: Channel, deps: ExecutorDeps, onStep: () => void): Promise<Held[]> {
  demandNewest(deps)
  return reconcile(channel, deps, onStep)
}

/** Differs when HALT.md came or went, or Review.md was saved. */
async function seenAtRoot(deps: ExecutorDeps): Promise<string> {
  const sheet = await deps.vault.read(REVIEW_SHEET).catch(() => undefined)
  return `${await isHalted(deps)} ${sheet ?? 'no sheet'}`
}

function demandNewest({ journal, ownAge }: ExecutorDeps): void {
  ownAge.demandNewest()
  if (!journal.isNewest())
    throw new CountersignError('ERR_FENCED', `this executor holds epoch ${journal.epoch}, which is not the newest`)
}

async function tell(held: readonly Held[], deps: ExecutorDeps, options: RunOptions): Promise<void> {
  const now = deps.clock.now()
  const notifiers = options.person?.state() ?? []
  const mute = notifiers.flatMap(({ isOptional, fault }) => (isOptional || fault === undefined ? [] : [fault]))
  const own = deps.channels.flatMap((channel) => channel.problems())
  const problems = [...own, ...mute, ...(await handbookProblems(deps))]
  const news = await readZoneNews(options.config.state, now)
  const work = await writePlans(deps)
  const sources = { agent: deps.agent, agents: options.agents, held, problems, news, now, work }
  const facts = await updateDashboard(sources, deps)
  options.person?.consider(facts)
  await options.report?.({
    schema: 1,
    held: [...held],
    problems,
    notifiers: notifiers.map(({ fault, ...one }) => ({ ...one, fault: fault ?? null })),
  })
}

function every(ms: number, act: () => void, service: Pick<ServiceContext, 'resources'>): void {
  const timer = setInterval(act, ms)
  service.resources.defer(() => clearInterval(timer))
}
