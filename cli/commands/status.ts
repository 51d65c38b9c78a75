import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { sayAgo, sayMinute, saySign } from '#core/sign-of-life.ts'
import { isFresh, parseStatus, type StatusDocument, type SyncReport } from '#core/status.ts'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { renderTable, terminalText } from '../table.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .addHelpText(
      'after',
      `\nExit code 0 when all is well, 1 when something needs a look, 5 when the zone is not running.`,
    )
    .addHelpText('after', example('status', '--zone cloud status --json'))
    .action(async () => {
      const home = await cli.home()
      const status = await readStatus(join(home.state, 'status.json'))
      cli.answer(status, renderStatus(status, Date.now()))
      cli.setExitCode(status.health === 'ok' ? EXIT.ok : EXIT.failed)
    })
}

async function readStatus(file: string): Promise<StatusDocument> {
  const status = parseStatus(await readFile(file, 'utf8').catch(() => ''))
  if (!status)
    throw new CountersignError('ERR_NOT_RUNNING', `reading ${file}: the health service has written no status`)
  if (isFresh(status, Date.now())) return status
  throw new CountersignError('ERR_NOT_RUNNING', `reading ${file}: the last status is of ${status.at}`)
}

function renderStatus(status: StatusDocument, nowMs: number): string {
  const { vault, sync } = status
  const inProgress = Object.entries(vault.in_progress).map(([agent, count]) => `${count} with ${agent}`)
  const services = status.services.map((one) => [
    one.name,
    one.live ? (one.ready ? 'ready' : 'not ready') : 'no answer',
    terminalText(one.detail ?? '', 80),
  ])
  return [
    `${status.zone} zone: ${status.health}`,
    ...status.problems.map((problem) => `  ! ${terminalText(problem, 160)}`),
    '',
    renderTable(services),
    '',
    `Tasks: ${vault.needs_action} new, ${inProgress.join(', ') || '0 in progress'}, ${vault.pending} waiting for you, ` +
      `${vault.approved} approved, ${vault.rejected} rejected, ${vault.done} done this month`,
    `Sync: ${sync ? `${sync.state}, ${sync.at}${sayReached(sync, nowMs)}` : 'no report yet'}`,
    ...(sync?.others ?? []).map((other) => terminalText(saySign(other, nowMs), 160)),
  ].join('\n')
}

function sayReached({ hubReachedAt }: SyncReport, nowMs: number): string {
  if (hubReachedAt === undefined) return ''
  if (hubReachedAt === null) return '; hub not reached since sync began'
  return `; hub last reached ${sayAgo(hubReachedAt, nowMs)} (${sayMinute(hubReachedAt)})`
}
