import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ZONES, type Zone } from '#core/zone-policy.ts'
import { type Cli, example, type GlobalOptions } from '../cli.ts'
import { examine, renderFindings } from '../doctor.ts'
import { changeOwner } from '../init/change-owner.ts'
import { addInitOptions, type InitOptions, makePlan } from '../init/init-options.ts'
import { type InitReport, initZone } from '../init/init-zone.ts'
import { withQuestions } from '../init/questions.ts'

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
    sub
      .addHelpText(
        'after',
        '\nRun again, it completes what is missing and overwrites nothing. Asks on a terminal for what no flag says.',
      )
      .addHelpText('after', example(...EXAMPLES[zone]))
      .action(() => runInit(zone, sub.optsWithGlobals<GlobalOptions & InitOptions>(), cli))
  }
}

async function runInit(zone: Zone, options: GlobalOptions & InitOptions, cli: Cli): Promise<void> {
  const root = resolve(options.home ?? join('zones', zone))
  const isNew = !existsSync(join(root, `.env.${zone}`))
  const target = { root, zone, isNew }
  const mayAsk = process.stdin.isTTY === true && !cli.json
  const plan = mayAsk
    ? await withQuestions((ask) => makePlan(target, options, ask))
    : await makePlan(target, options, undefined)
  const report = await initZone(plan)
  if (options.owner) await changeOwner(root, options.owner)
  const findings = await examine(report.home)
  const next = nextSteps(report)
  cli.answer(
    { home: root, steps: report.steps, pairing: report.pairingFile, findings, next },
    [
      ...report.steps.map((step) => `- ${step}`),
      '',
      renderFindings(findings),
      '',
      'Next:',
      ...next.map((one) => `  ${one}`),
    ].join('\n'),
  )
}

function nextSteps({ home, pairingFile, knows }: InitReport): string[] {
  const other = home.zone === 'cloud' ? 'local' : 'cloud'
  const up = `docker compose -f compose.${home.zone}.yml up -d`
  if (knows.length > 1 && home.zone === 'cloud') return [up]
  if (knows.length > 1)
    return [`carry ${pairingFile} to the cloud machine, there: countersign init cloud --pair pairing-local.json`, up]
  const settings = `fill in ${home.envFile} and ${home.secrets}/ where something is missing`
  return [
    settings,
    `carry ${pairingFile} to the ${other} machine, there: countersign init ${other} --pair pairing-${home.zone}.json`,
  ]
}
