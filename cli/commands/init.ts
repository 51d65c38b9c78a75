import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { ZONES, type Zone } from '#core/zone-policy.ts'
import { type Cli, example, type GlobalOptions, PROGRAM } from '../cli.ts'
import { examine, renderFindings } from '../doctor.ts'
import { changeOwner, parseOwner } from '../init/change-owner.ts'
import { addInitOptions, type InitOptions, makePlan } from '../init/init-options.ts'
import { initZone } from '../init/init-zone.ts'
import { nextSteps } from '../init/next-steps.ts'
import { refuseFaults } from '../init/plan-faults.ts'
import { withQuestions } from '../init/questions.ts'

type Options = GlobalOptions & InitOptions

const ABOUT: Record<Zone, string> = {
  cloud: 'the zone that reads and drafts, and the hub',
  local: 'the zone on your own machine, which acts on what you approved',
}
const EXAMPLES: Record<Zone, readonly string[]> = {
  cloud: [
    'init cloud',
    'init cloud --owner-address you@example.org --imap-host imap.example.org --imap-user you@example.org \\\n      --imap-password-file ./imap-password --hub-host vm.example.org --owner 1000:1000',
    'init cloud --pair pairing-local.json',
  ],
  local: ['init local --pair pairing-cloud.json'],
}

export function configure(command: Command, cli: Cli): void {
  for (const zone of ZONES) {
    const sub = command.command(zone).description(ABOUT[zone])
    addInitOptions(sub, zone)
    sub.option('--skip-checks', 'try nothing at the end; `countersign doctor` does so later')
    sub
      .addHelpText(
        'after',
        '\nRun again, it completes what is missing and overwrites nothing. Asks on a terminal for what no flag says.',
      )
      .addHelpText('after', example(...EXAMPLES[zone]))
      .action(() =>
        runInit(zone, sub.optsWithGlobals<Options>(), cli, sub.opts<{ skipChecks?: boolean }>().skipChecks === true),
      )
  }
}

async function runInit(zone: Zone, options: Options, cli: Cli, isUnchecked: boolean): Promise<void> {
  const root = resolve(options.home ?? join('zones', zone))
  const isNew = !existsSync(join(root, `.env.${zone}`))
  const target = { root, zone, isNew }
  const mayAsk = process.stdin.isTTY === true && !cli.json
  const { plan, faults } = mayAsk
    ? await withQuestions((ask) => makePlan(target, options, ask))
    : await makePlan(target, options, undefined)
  refuseFaults(zone, faults)
  // What root completes stays theirs whom it belonged to.
  const before = process.getuid?.() === 0 ? await stat(root).catch(() => undefined) : undefined
  const report = await initZone(plan).catch((error) => refuseUnwritable(root, error))
  const owner = options.owner ? parseOwner(options.owner) : before?.uid ? before : undefined
  if (owner) await changeOwner(root, owner)
  const findings = isUnchecked ? [] : await examine(report.home, true)
  const next = await nextSteps(report, findings)
  cli.answer(
    { home: root, steps: report.steps, pairing: report.pairingFile, findings, next },
    [
      ...report.steps.map((step) => `- ${step}`),
      '',
      isUnchecked ? `Nothing was tried. ${PROGRAM} doctor does so.` : renderFindings(findings),
      '',
      'Next:',
      ...next.map((one) => `  ${one}`),
    ]
      .join('\n')
      .split(`${process.cwd()}/`)
      // Where the person stands, short paths say as much; what is set for Compose stays whole.
      .reduce((text, part) => (text.endsWith('=') ? `${text}${process.cwd()}/${part}` : text + part)),
  )
}

/** Throws ERR_HOME_UNWRITABLE where the disk is in the way; other errors pass. */
function refuseUnwritable(root: string, error: unknown): never {
  const said = { ENOSPC: 'its disk is full', EDQUOT: 'the quota there is used up', EROFS: 'that disk is read-only' }
  const denied = { EACCES: 'this user may not write there', EPERM: 'this user may not write there' }
  const { code, path } = error as NodeJS.ErrnoException
  const why = code === undefined ? undefined : ({ ...said, ...denied } as Record<string, string>)[code]
  if (why === undefined) throw error
  throw new CountersignError('ERR_HOME_UNWRITABLE', `writing ${path ?? root}: ${why}`, { cause: error })
}
