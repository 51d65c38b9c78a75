import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { sayAgo, sayMinute, saySign } from '#core/sign-of-life.ts'
import { isFresh, parseStatus, type StatusDocument, type SyncReport } from '#core/status.ts'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { type Board, readBoard } from '../read-board.ts'
import { renderBoard } from '../render-board.ts'
import { renderTable, terminalText } from '../table.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .option('--all', 'list everything that waits, however much it is')
    .addHelpText(
      'after',
      `\nIn the local zone it shows what Dashboard.md shows, read from vault and state whether or not anything runs.
Exit code 0 when all is well, 1 when something needs a look, 5 when the zone is not running.`,
    )
    .addHelpText('after', example('status', '--zone cloud status --json'))
    .action(async ({ all = false }: { all?: boolean }) => {
      const home = await cli.home()
      const now = Date.now()
      const board = home.zone === 'local' ? await readBoard(home, now) : undefined
      const shown = board ? [renderBoard(board, { all })] : []
      const status = await readStatus(join(home.state, 'status.json')).catch((error: unknown) => error)
      if (isStatus(status)) {
        cli.answer(
          { ...status, ...(board && { board }) },
          [renderHead(status), ...shown, renderStatus(status, now)].join('\n\n'),
        )
        cli.setExitCode(isWell(status, board) ? EXIT.ok : EXIT.failed)
        return
      }
      if (!board || !(status instanceof CountersignError)) throw status
      const { code, message, hint } = status
      const said = [`${home.zone} zone: not running`, ...shown].join('\n\n')
      cli.answer({ zone: home.zone, agent: home.agent, error: { code, message, hint }, board }, said)
      cli.say(`${code}: ${message}\n  ${hint}`)
      cli.setExitCode(EXIT.notRunning)
    })
}

function isStatus(found: unknown): found is StatusDocument {
  return !(found instanceof Error)
}

function isWell(status: StatusDocument, board: Board | undefined): boolean {
  const isTelling = board?.notifiers.every(({ fault, isOptional }) => fault === null || isOptional) ?? true
  const isClear =
    !board || (board.facts.alerts.length === 0 && !board.facts.news.quarantine && board.facts.problems.length === 0)
  return status.health === 'ok' && isTelling && isClear
}

async function readStatus(file: string): Promise<StatusDocument> {
  const status = parseStatus(await readFile(file, 'utf8').catch(() => ''))
  if (!status)
    throw new CountersignError('ERR_NOT_RUNNING', `reading ${file}: the health service has written no status`)
  if (isFresh(status, Date.now())) return status
  throw new CountersignError('ERR_NOT_RUNNING', `reading ${file}: the last status is of ${status.at}`)
}

function renderHead(status: StatusDocument): string {
  const problems = status.problems.map((problem) => `  ! ${terminalText(problem, 160)}`)
  return [`${status.zone} zone: ${status.health}`, ...problems].join('\n')
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
    renderTable(services),
    '',
    `Tasks: ${vault.needs_action} new, ${inProgress.join(', ') || '0 in progress'}, ${vault.pending} waiting for you, ` +
      `${vault.approved} approved, ${vault.rejected} rejected, ${vault.done} done this month`,
    `Sync: ${sync ? `${sync.state}, ${sync.at}${sayReached(sync, nowMs)}` : 'no report yet'}`,
    ...(sync?.others ?? []).map((other) => terminalText(saySign(other, nowMs), 160)),
    ...renderChecked(status),
    ...renderErrors(status),
  ].join('\n')
}

function renderChecked({ checked = [] }: StatusDocument): string[] {
  if (checked.length === 0) return []
  const rows = checked.map(({ what, of, state, since, detail, ends, next }) => {
    const said = detail ?? (ends ? `ends ${sayMinute(ends)}` : '')
    return [
      `${what} (${of})`,
      { ok: 'ok', bad: 'bad', unknown: 'not used yet' }[state],
      `since ${sayMinute(since)}`,
      terminalText(next ? `${said}. ${next}` : said, 160),
    ]
  })
  return ['', 'What it works with:', renderTable(rows)]
}

function renderErrors({ errors = [] }: StatusDocument): string[] {
  if (errors.length === 0) return []
  const rows = errors.map(({ code, component, count, at }) => [component, code, `${count}×`, `last ${sayMinute(at)}`])
  return ['', 'Errors since each service began (docs/errors.md):', renderTable(rows)]
}

function sayReached({ hubReachedAt }: SyncReport, nowMs: number): string {
  if (hubReachedAt === undefined) return ''
  if (hubReachedAt === null) return '; hub not reached since sync began'
  return `; hub last reached ${sayAgo(hubReachedAt, nowMs)} (${sayMinute(hubReachedAt)})`
}
