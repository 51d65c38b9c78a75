import { CountersignError, messageOf } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { isCheckDue, type MaintenanceReport, type MaintenanceRequest } from '#core/maintenance.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { SyncStatus } from '../sync-status.ts'

export interface MaintenanceTools {
  readonly log: Log
  readonly metrics: Pick<Metrics, 'set'>
  readonly now: () => number
  /** Hour of the night, by the machine's own clock. */
  readonly hour: number
  /** When everything was last checked. */
  readonly lastCheckAt: () => number | undefined
  readonly asked: () => Promise<MaintenanceRequest | undefined>
  readonly answer: (report: MaintenanceReport) => Promise<void>
  readonly repair: (mayReset: boolean) => Promise<Finding[]>
  readonly check: (readAll: boolean) => Promise<Finding[]>
  readonly noteCheck: (check: NonNullable<SyncStatus['check']>) => void
}

export interface Maintenance extends AsyncDisposable {
  /** Does what is asked or due, if anything; one thing at a time. */
  look(): void
  /** What it does has limits of its own. */
  isBusy(): boolean
}

/** A young process has better things to do. */
const FIRST_CHECK_AFTER_MS = 5 * 60_000

/** Does what a person asks for (`countersign sync --repair`, `--verify`), and the check of the night. */
export function startMaintenance(tools: MaintenanceTools): Maintenance {
  const bornAt = tools.now()
  let running: Promise<void> | undefined
  let isAskedAgain = false
  let isBusy = false
  const look = () => {
    isAskedAgain = true
    running ??= work().finally(() => {
      running = undefined
    })
  }
  const work = async () => {
    while (isAskedAgain) {
      isAskedAgain = false
      try {
        await serve()
        await watchTheNight()
      } catch (error) {
        tools.log.error({ err: error }, 'maintenance failed')
      } finally {
        isBusy = false
      }
    }
  }
  const serve = async () => {
    const request = await tools.asked()
    if (!request) return
    isBusy = true
    const findings = await attempt(() =>
      request.kind === 'verify' ? check(true) : repair(request.kind === 'reset-hub'),
    )
    await tools.answer({ ...request, at: new Date(tools.now()).toISOString(), findings })
  }
  const watchTheNight = async () => {
    const isYoung = tools.now() - bornAt < FIRST_CHECK_AFTER_MS
    if (isYoung || !isCheckDue(tools.now(), tools.lastCheckAt(), tools.hour)) return
    isBusy = true
    const findings = await check(false)
    const isDamaged = findings.some((one) => one.check === 'objects' && one.result === 'failed')
    if (isDamaged) await repair(false)
  }
  const repair = async (mayReset: boolean) => {
    const findings = await tools.repair(mayReset)
    for (const { check: name, result, found } of findings)
      if (result !== 'ok') tools.log.warn({ check: name, outcome: result, reason: found }, 'repair')
    return findings
  }
  const check = async (readAll: boolean) => {
    const findings = await tools.check(readAll)
    report(findings, tools)
    return findings
  }
  return {
    look,
    isBusy: () => isBusy,
    async [Symbol.asyncDispose]() {
      isAskedAgain = false
      await running
    },
  }
}

function report(findings: readonly Finding[], { log, metrics, noteCheck, now }: MaintenanceTools): void {
  const failed = findings.filter(({ result }) => result === 'failed')
  metrics.set('countersign_sync_check_timestamp_seconds', now() / 1000, {})
  metrics.set('countersign_sync_check_problems', failed.length, {})
  for (const { check, found } of failed) log.error({ check, reason: found }, 'the check of everything found something')
  noteCheck({ at: new Date(now()).toISOString(), problems: failed.map(({ check, found }) => `${check}: ${found}`) })
}

/** What fails on the way is a finding too: whoever asked wants an answer. */
async function attempt(act: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await act()
  } catch (error) {
    const found = messageOf(error)
    const hint = error instanceof CountersignError ? error.hint : 'See the log of sync.'
    return [{ check: 'sync', result: 'failed', found, hint }]
  }
}
