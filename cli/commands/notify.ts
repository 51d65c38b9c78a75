import type { Command } from 'commander'
import { openNotifiers } from '#adapters/notify/notifiers.ts'
import { toldFile } from '#adapters/notify/told-file.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { makeNotice, type Notice } from '#core/notice-to-person.ts'
import type { Notifier } from '#core/ports/notifier.ts'
import { sayMinute } from '#core/sign-of-life.ts'
import { parseConfig } from '#runtime/config.ts'
import { notifyWaysOf } from '#runtime/notify-ways.ts'
import { notifySettings } from '#runtime/settings.ts'
import { type Cli, example } from '../cli.ts'
import { renderFindings } from '../doctor.ts'
import { EXIT } from '../exit-codes.ts'
import { attempt } from '../finding.ts'
import { environmentOf, type ZoneHome } from '../zone-home.ts'

const LIMIT_MS = 30_000

export function configure(command: Command, cli: Cli): void {
  command
    .option('--test', 'send a notice that says that it is a test')
    .addHelpText('after', '\nOnly in the local zone. Exit code 1 when a test was not taken.')
    .addHelpText('after', example('notify', 'notify --test'))
    .action(async ({ test = false }: { test?: boolean }) => {
      const home = await cli.home()
      const notifiers = waysOf(home)
      const findings = test ? await tryAll(notifiers) : await lastTold(notifiers, home)
      const ok = findings.every(({ result }) => result !== 'failed')
      cli.answer(
        { ok, findings },
        findings.length > 0 ? renderFindings(findings) : 'No way is set; see docs/notifications.md.',
      )
      cli.setExitCode(ok ? EXIT.ok : EXIT.failed)
    })
}

function waysOf(home: ZoneHome): Notifier[] {
  if (home.zone !== 'local')
    throw new CountersignError(
      'ERR_ZONE_FORBIDDEN',
      `telling the person from the ${home.zone} zone: only the local zone does`,
    )
  const verdict = parseConfig(notifySettings, environmentOf(home))
  if (!verdict.ok) throw new CountersignError('ERR_CONFIG_INVALID', verdict.faults.join('; '))
  return openNotifiers({ ...notifyWaysOf(verdict.config, process.platform), clock: { now: () => Date.now() } })
}

async function tryAll(notifiers: readonly Notifier[]): Promise<Finding[]> {
  const now = Date.now()
  return Promise.all(
    notifiers.map(async (notifier) => {
      const { isOutside, isOptional, name } = notifier
      const notice: Notice = { ...makeNotice([], { now, isOutside, detail: 'titles' }), ...TEST }
      const finding = await attempt(name, 'took the test', () => notifier.notify(notice, AbortSignal.timeout(LIMIT_MS)))
      return isOptional && finding.result === 'failed' ? { ...finding, result: 'skipped' as const } : finding
    }),
  )
}

const TEST = { id: 'test', count: 0, title: 'Countersign: a test', lines: ['If you can read this, notices reach you.'] }

async function lastTold(notifiers: readonly Notifier[], home: ZoneHome): Promise<Finding[]> {
  const told = await toldFile(home.state).load()
  return notifiers.map(({ name }) => {
    const last = told[name]?.lastAt
    const found = last === undefined ? 'nothing told yet' : `last told ${sayMinute(new Date(last).toISOString())}`
    return { check: name, result: 'ok', found }
  })
}
