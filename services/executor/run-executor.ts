import { CountersignError } from '#core/errors.ts'
import type { ServiceContext } from '#runtime/service.ts'
import type { ExecutorDeps, Held, WiredDeps } from './deps.ts'
import { freezeApproved } from './freeze-approved.ts'
import { presentDrafts } from './present-drafts.ts'
import { quietFiles } from './quiet-files.ts'
import { isHalted } from './read-task.ts'
import { reconcile } from './reconcile.ts'
import { runPasses } from './run-passes.ts'
import { updateDashboard } from './update-dashboard.ts'
import { readZoneNews } from './zone-news.ts'

const WATCHED = ['Pending_Approval', 'Approved', 'Rejected', 'In_Progress', 'Needs_Action', 'Done', 'Updates'] as const
/** HALT.md stands at the vault's root, which is not watched: a look a second keeps its promise of two. */
const HALT_LOOK_MS = 1_000
/** How often a mail server that was away is looked at; its own back-off decides whether it is asked. */
const SENDER_LOOK_MS = 1_000
/** Editors that save in place are done within milliseconds; a busy disk takes longer. */
const QUIET_MS = 500
/** A pass that talks to a silent mail server takes its limits; longer than all of them together is a hang. */
const MAX_PASS_MS = 300_000

export interface RunOptions {
  readonly config: { readonly reconcileMs: number; readonly state: string }
  /** Everyone who may leave notes in Updates/. */
  readonly agents: readonly string[]
}

/**
 * Runs the executor: one pass over vault and journal at the start, after every change of the vault, when an undo window
 * ends, when `wake` is called, and every `reconcileMs`. Gives `wake`. Without its journal the service ends.
 */
export async function runExecutor(
  wired: WiredDeps,
  service: Pick<ServiceContext, 'resources' | 'progress' | 'fail'>,
  options: RunOptions,
): Promise<() => void> {
  const { reconcileMs } = options.config
  const isQuiet = service.resources.use(quietFiles({ quietMs: QUIET_MS, wake: () => passes.wake() }))
  const deps: ExecutorDeps = { ...wired, isQuiet }
  const beat = service.progress('passes', reconcileMs + MAX_PASS_MS)
  let undo: NodeJS.Timeout | undefined
  const pass = async () => {
    await onePass(deps, options)
    beat()
    clearTimeout(undo)
    const due = deps.journal.freezes().map((freeze) => freeze.undoUntil - deps.clock.now())
    const next = Math.min(...due.filter((ms) => ms > 0))
    if (Number.isFinite(next)) undo = setTimeout(passes.wake, next + 1)
  }
  const passes = service.resources.use(
    runPasses(pass, (error) => {
      deps.log.error({ err: error }, 'a pass could not be finished')
      if (error instanceof CountersignError && ['ERR_FENCED', 'ERR_JOURNAL_FAILED'].includes(error.code))
        service.fail(error)
    }),
  )
  service.resources.defer(() => clearTimeout(undo))
  service.resources.use(await deps.vault.watch([...WATCHED], passes.wake))
  every(reconcileMs, passes.wake, service)
  // Beside the passes: waiting for a silent mail server must keep nothing else waiting.
  const askServer = async () => {
    if (await deps.sender.isReady()) passes.wake()
  }
  const askAgain = () => {
    if (deps.sender.state() !== true) askServer().catch(service.fail)
  }
  every(SENDER_LOOK_MS, askAgain, service)
  let wasHalted = false
  every(HALT_LOOK_MS, () => void lookAtHalt(), service)
  const lookAtHalt = async () => {
    const halted = await isHalted(deps).catch(() => wasHalted)
    if (halted !== wasHalted) passes.wake()
    wasHalted = halted
  }
  askServer().catch(service.fail)
  await passes.settled()
  return passes.wake
}

/** One look at everything: cards and ticks, approvals, work under way, the dashboard. */
export async function onePass(deps: ExecutorDeps, options: RunOptions): Promise<void> {
  if (!deps.journal.isNewest())
    throw new CountersignError('ERR_FENCED', `this executor holds epoch ${deps.journal.epoch}, which is not the newest`)
  const held: Held[] = [...(await presentDrafts(deps)), ...(await freezeApproved(deps)), ...(await reconcile(deps))]
  const own = [deps.sender.state(), deps.sent.state()].filter((state) => state !== true)
  const now = deps.clock.now()
  const news = await readZoneNews(options.config.state, now)
  await updateDashboard({ agent: deps.agent, agents: options.agents, held, problems: own, news, now }, deps)
}

function every(ms: number, act: () => void, service: Pick<ServiceContext, 'resources'>): void {
  const timer = setInterval(act, ms)
  service.resources.defer(() => clearInterval(timer))
}
