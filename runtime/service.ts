import { setTimeout as delay } from 'node:timers/promises'
import { CountersignError } from '#core/errors.ts'
import type { ServiceReport } from '#core/service-report.ts'
import manifest from '../package.json' with { type: 'json' }
import { noteStable, STABLE_MS } from './boots.ts'
import { type Check, HealthState } from './health-state.ts'
import { refuseOtherHome } from './home-version.ts'
import { createHttp, type Documents, listen } from './http.ts'
import { countErrors, createLogger, type Log } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createReport, numbersOf, type Tells } from './report.ts'
import type { ProcessConfig } from './settings.ts'

/** What a start gets to build its service with. */
export interface ServiceContext {
  readonly log: Log
  readonly metrics: Metrics
  /** Register each resource the moment it is opened: closed in reverse, one failure does not skip the rest. */
  readonly resources: AsyncDisposableStack
  /** Aborted when draining begins: intake and waits end here. */
  readonly stopping: AbortSignal
  /** A named check of `/readyz`: true, or what is wrong. */
  check(name: string, check: Check): void
  /** Work that must progress at least every `maxAgeMs` for `/livez`; call the result at each bit of progress. */
  progress(name: string, maxAgeMs: number): () => void
  /** What else it works with, for the zone's status: told whenever the service meets it. */
  readonly tell: Tells
  /** All of that, and the errors that were met. */
  report(): ServiceReport
  /** A JSON document at a path beside the health endpoints. */
  document(path: string, make: () => unknown): void
  /** Ends a service that cannot go on: it drains, then the process exits 1. */
  fail(error: unknown): void
}

export type Start = (service: ServiceContext) => Promise<void>
type Facilities = Omit<ServiceContext, 'resources'> & { readonly health: HealthState }

const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000

/**
 * Runs one service for the life of the process, and exits it: starting → ready → draining → stopped (0) or failed (1,
 * or 2 for a configuration fault). A start that fails with a retryable error is tried again after 1 s … 30 s, alive
 * but not ready meanwhile. SIGTERM and SIGINT drain; a second one, or the drain deadline, exits 1 at once, which is
 * safe because any process may die at any instant.
 */
export async function runService(
  name: string,
  config: ProcessConfig & { readonly state?: string },
  start: Start,
  firstRetryMs = FIRST_RETRY_MS,
): Promise<never> {
  const stop = new AbortController()
  const facilities = createFacilities(name, config, stop)
  const { log, health } = facilities
  exitOnFaults(log)
  exitOnSignals(log, health, stop)

  let exitCode = 0
  const endpoints = new AsyncDisposableStack()
  const opened = new AsyncDisposableStack()
  try {
    const http = createHttp(health, facilities.metrics, facilities.documents)
    const { port } = endpoints.use(await listen(http, config.httpHost, config.httpPort))
    log.info({ host: config.httpHost, port }, 'starting')
    if (config.state) refuseOtherHome(config.state)
    opened.use(await startWithRetries(facilities, start, firstRetryMs))
    if (!stop.signal.aborted) become(facilities, 'ready')
    const stable = () => config.state && health.live().ok && noteStable(config.state, name, Date.now())
    setTimeout(stable, STABLE_MS).unref()
    await aborted(stop.signal)
    if (stop.signal.reason instanceof ServiceFault) throw stop.signal.reason.cause
  } catch (error) {
    exitCode = exitCodeOf(error)
    report(facilities, error, 'cannot go on')
  }

  become(facilities, 'draining')
  setTimeout(() => {
    log.error({ ms: config.drainMs }, 'drain deadline passed')
    process.exit(1)
  }, config.drainMs)
  if (!stop.signal.aborted) stop.abort()
  for (const stack of [opened, endpoints]) {
    try {
      await stack.disposeAsync()
    } catch (error) {
      exitCode ||= 1
      report(facilities, error, 'could not close everything')
    }
  }
  if (exitCode === 0 && config.state) noteStable(config.state, name, Date.now())
  become(facilities, exitCode === 0 ? 'stopped' : 'failed')
  process.exit(exitCode)
}

/** Tells an end by fault from an end by signal. */
class ServiceFault extends Error {}

function createFacilities(name: string, config: ProcessConfig, stop: AbortController) {
  const { zone, agent, logLevel } = config
  const metrics = createMetrics({ service: name, zone, version: manifest.version })
  const health = new HealthState({
    onBeat: () => metrics.set('countersign_heartbeat_timestamp_seconds', Date.now() / 1000, {}),
  })
  const report = createReport()
  const documents: Documents = new Map()
  documents.set('/report', async () => ({ ...report.make(), numbers: await numbersOf(metrics) }))
  const log = createLogger({ service: name, zone, agent, level: logLevel })
  return {
    log: countErrors(log, (code) => {
      metrics.count('countersign_errors_total', { code })
      report.error(code)
    }),
    metrics,
    tell: report,
    report: report.make,
    health,
    documents,
    stopping: stop.signal,
    check: (checkName: string, check: Check) => health.addCheck(checkName, check),
    progress: (probe: string, maxAgeMs: number) => health.addProgress(probe, maxAgeMs),
    document: (path: string, make: () => unknown) => void documents.set(path, make),
    fail: (error: unknown) => stop.abort(new ServiceFault('', { cause: error })),
  }
}

/** Resolves with what the start opened; also when a stop was asked for meanwhile, with what it had opened by then. */
async function startWithRetries(
  facilities: Facilities,
  start: Start,
  firstRetryMs: number,
): Promise<AsyncDisposableStack> {
  const { log, health, stopping } = facilities
  for (let attempt = 1; ; attempt++) {
    const resources = new AsyncDisposableStack()
    try {
      const started = start({ ...facilities, resources })
      started.catch(() => {}) // After a stop nobody waits for it any more.
      await Promise.race([started, aborted(stopping)])
      health.startFault = undefined
      facilities.metrics.count('countersign_boots_total', { outcome: 'ready' })
      return resources
    } catch (error) {
      await disposeQuietly(resources, log)
      facilities.metrics.count('countersign_boots_total', { outcome: 'failed' })
      if (!(error instanceof CountersignError && error.retryable)) throw error
      const retryInMs = Math.min(firstRetryMs * 2 ** (attempt - 1), MAX_RETRY_MS)
      health.reset()
      health.startFault = `${error.code}: ${error.message}. ${error.hint}`
      log.warn({ err: error, attempt, retryInMs }, `start failed: ${error.message}`)
      await delay(retryInMs, undefined, { signal: stopping }).catch(() => {}) // Aborted: the loop's next turn ends it.
    }
    if (stopping.aborted) return new AsyncDisposableStack()
  }
}

async function disposeQuietly(resources: AsyncDisposableStack, log: Log): Promise<void> {
  try {
    await resources.disposeAsync()
  } catch (error) {
    log.warn({ err: error }, 'could not close what a failed start had opened')
  }
}

function become({ health, log }: Facilities, state: HealthState['state']): void {
  health.state = state
  log.info({ state }, state)
}

function report({ log }: Facilities, error: unknown, what: string): void {
  log.error({ err: error }, `${what}: ${error instanceof Error ? error.message : String(error)}`)
}

function exitCodeOf(error: unknown): number {
  return error instanceof CountersignError && error.code === 'ERR_CONFIG_INVALID' ? 2 : 1
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function exitOnSignals(log: Log, health: HealthState, stop: AbortController): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted || health.state === 'draining') process.exit(1)
      log.info({ reason: signal }, 'asked to stop')
      stop.abort()
    })
  }
}

/** A fault nobody caught leaves unknown state behind: end now, and let the next start converge. */
function exitOnFaults(log: Log): void {
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, `a fault of the program: ${error.message}`)
    process.exit(1)
  })
}
