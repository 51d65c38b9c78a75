import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { MaintenanceKind } from '#core/maintenance.ts'
import { parseSyncReport, type SyncReport } from '#core/status.ts'
import { type Cli, example } from '../cli.ts'
import { renderFindings } from '../doctor.ts'
import { EXIT } from '../exit-codes.ts'
import { ringSync } from '../ring-sync.ts'
import { configureConflicts } from '../sync-conflicts.ts'
import { maintain } from '../sync-maintenance.ts'
import { configureWhy } from '../sync-why.ts'
import { terminalText } from '../table.ts'
import type { ZoneHome } from '../zone-home.ts'

type Options = { now?: boolean; repair?: boolean; resetHub?: boolean; verify?: boolean }

const ANSWER_LIMIT_MS = 15_000

export function configure(command: Command, cli: Cli): void {
  command
    .option('--now', 'have the sync service synchronise at once, and wait for it')
    .option('--status', 'show what it last reported (the default)')
    .option('--repair', 'repair clone, memory and what stands between this clone and the hub; says what it did')
    .option('--reset-hub', 'with --repair: take off the hub what may not enter, where the hub lets us')
    .option('--verify', 'hold vault, memory, clone, hub and ledgers against each other')
    .addHelpText('after', '\nExit code 1 when sync is in trouble or something was found, 5 when it does not run.')
    .addHelpText('after', example('sync --now', 'sync --status --json', 'sync --repair', 'sync --verify'))
    .action(async (options: Options) => {
      const home = await cli.home()
      const kind = maintenanceOf(options)
      if (kind) return showFindings(await maintain(home, kind, cli), cli)
      const report = options.now ? await syncNow(home, cli.env) : await readReport(home)
      if (!report)
        throw new CountersignError('ERR_NOT_RUNNING', `reading ${reportFile(home)}: sync has reported nothing`)
      cli.answer(report, renderReport(report))
      cli.setExitCode(report.state === 'ok' ? EXIT.ok : EXIT.failed)
    })
  configureConflicts(command, cli)
  configureWhy(command, cli)
}

function maintenanceOf({ repair, resetHub, verify }: Options): MaintenanceKind | undefined {
  if (resetHub && !repair) throw new CountersignError('ERR_USAGE', 'sync --reset-hub: it goes with --repair')
  if (repair) return resetHub ? 'reset-hub' : 'repair'
  return verify ? 'verify' : undefined
}

function showFindings(findings: readonly Finding[], cli: Cli): void {
  const ok = findings.every((one) => one.result !== 'failed')
  cli.answer({ ok, findings }, renderFindings(findings))
  cli.setExitCode(ok ? EXIT.ok : EXIT.failed)
}

/** Rings sync's bell and waits for a report that is younger. Throws ERR_REDIS_UNREACHABLE, ERR_NOT_RUNNING. */
async function syncNow(home: ZoneHome, env: Cli['env']): Promise<SyncReport> {
  const rungAt = Date.now()
  await ringSync(home, env)
  const deadline = rungAt + ANSWER_LIMIT_MS
  while (Date.now() < deadline) {
    const report = await readReport(home)
    if (report && Date.parse(report.at) >= rungAt) return report
    await delay(50)
  }
  throw new CountersignError(
    'ERR_NOT_RUNNING',
    `synchronising ${home.root}: no answer from sync in ${ANSWER_LIMIT_MS / 1000} s`,
  )
}

async function readReport(home: ZoneHome): Promise<SyncReport | null> {
  return parseSyncReport(await readFile(reportFile(home), 'utf8').catch(() => ''))
}

function reportFile(home: ZoneHome): string {
  return join(home.state, 'sync-status.json')
}

function renderReport(report: SyncReport): string {
  const { state, ...details } = report
  const lines = Object.entries(details).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `  ${name}: ${terminalText(text ?? '', 200)}`
  })
  return [`Sync: ${state}`, ...lines].join('\n')
}
