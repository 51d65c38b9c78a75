import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { CountersignError } from '#core/errors.ts'
import { parseSyncReport, type SyncReport } from '#core/status.ts'
import { SecretFile } from '#runtime/config.ts'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { configureConflicts } from '../sync-conflicts.ts'
import { configureWhy } from '../sync-why.ts'
import { terminalText } from '../table.ts'
import { environmentOf, type ZoneHome } from '../zone-home.ts'

const ANSWER_LIMIT_MS = 15_000
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

export function configure(command: Command, cli: Cli): void {
  command
    .option('--now', 'have the sync service synchronise at once, and wait for it')
    .option('--status', 'show what it last reported (the default)')
    .addHelpText('after', '\nExit code 1 when sync is in trouble, 5 when it does not run.')
    .addHelpText('after', example('sync --now', 'sync --status --json'))
    .action(async (options: { now?: boolean }) => {
      const home = await cli.home()
      const report = options.now ? await syncNow(home, cli.env) : await readReport(home)
      if (!report)
        throw new CountersignError('ERR_NOT_RUNNING', `reading ${reportFile(home)}: sync has reported nothing`)
      cli.answer(report, renderReport(report))
      cli.setExitCode(report.state === 'ok' ? EXIT.ok : EXIT.failed)
    })
  configureConflicts(command, cli)
  configureWhy(command, cli)
}

/** Rings sync's bell and waits for a report that is younger. Throws ERR_REDIS_UNREACHABLE, ERR_NOT_RUNNING. */
async function syncNow(home: ZoneHome, given: Cli['env']): Promise<SyncReport> {
  // Inside a container the environment says where Redis is, and the settings file does not.
  const env = { ...given, ...environmentOf(home) }
  const url = env.COUNTERSIGN_REDIS_URL
  if (!url)
    throw new CountersignError('ERR_NOT_RUNNING', `synchronising ${home.root}: COUNTERSIGN_REDIS_URL is not set`)
  const file = env.COUNTERSIGN_REDIS_PASSWORD_FILE
  const rungAt = Date.now()
  await using redis = await connectRedis(url, file && new SecretFile(file).read(), SILENT)
  await using bell = await openDoorbell(redis, SILENT)
  await bell.ring('sync', 'sync-now', {})
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
