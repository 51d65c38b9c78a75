import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { readAgents } from '#adapters/keys/trust-files.ts'
import type { Finding } from '#core/finding.ts'
import { PROGRAM } from './cli.ts'
import { bankFindings } from './doctor-banks.ts'
import { fileFindings } from './doctor-files.ts'
import { guardFindings } from './doctor-guard.ts'
import { goalsFinding, handbookFinding } from './doctor-handbook.ts'
import { hubFinding } from './doctor-hub.ts'
import { keyFindings } from './doctor-key.ts'
import { machineFindings } from './doctor-machine.ts'
import {
  mailFindings,
  modelFindings,
  notifyFinding,
  odooFindings,
  redisFinding,
  settingsFindings,
  socialFindings,
} from './doctor-reach.ts'
import { secretFindings } from './doctor-secrets.ts'
import { skillsFinding } from './doctor-skills.ts'
import { attempt } from './finding.ts'
import { renderTable, terminalText } from './table.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'

const run = promisify(execFile)
/** The first whose writes can be made durable. */
const OLDEST_GIT = [2, 36] as const

/**
 * Looks at this machine and this home, and tries for real what can be tried without changing anything. `isInit`: what comes
 * only after `init` is no fault then.
 */
export async function examine(home: ZoneHome, isInit = false): Promise<Finding[]> {
  // A service's container has its own part of the home, and is told the rest by its environment.
  const isWhole = existsSync(home.secrets) || process.env.COUNTERSIGN_VAULT === undefined
  const env = isWhole ? environmentOf(home) : { ...environmentOf(home), ...ownEnvironment() }
  return [
    nodeFinding(),
    await gitFinding(),
    ...(await machineFindings(home, env)),
    ...(isWhole ? await fileFindings(home) : []),
    ...(await secretFindings(home)),
    ...(await guardFindings(home)),
    ...(await keyFindings(home, env)),
    await handbookFinding(home.vault),
    await goalsFinding(home.vault),
    await skillsFinding({ ...process.env, ...env }),
    await pairingFinding(home, isInit),
    ...(isWhole ? settingsBefore(await settingsFindings(home.zone, env), isInit) : [FROM_INSIDE]),
    await hubFinding(home, env, isInit),
    ...(await mailFindings(home.zone, env)),
    ...(await socialFindings(home.zone, env)),
    ...(await modelFindings(home.zone, env)),
    ...(await odooFindings(home.zone, env)),
    ...(await bankFindings(home.zone, env)),
    await redisFinding(env),
    ...(home.zone === 'local' ? [await notifyFinding(env)] : []),
  ]
}

const FROM_INSIDE: Finding = {
  check: 'settings',
  result: 'skipped',
  found: 'each container has those it needs: run doctor on the host for all of them',
}

function ownEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).filter(([name, value]) => name.startsWith('COUNTERSIGN_') && value)
  return Object.fromEntries(own) as Record<string, string>
}

/** A table for a terminal: one line a check, what to do under what failed. */
export function renderFindings(findings: readonly Finding[]): string {
  const marks = { ok: '✓', repaired: '+', failed: '✗', skipped: '·' }
  return renderTable(
    findings.flatMap((one) => [
      [marks[one.result], one.check, terminalText(one.found, 500)],
      ...(one.hint ? [['', '', `→ ${terminalText(one.hint, 500)}`]] : []),
    ]),
  )
}

async function pairingFinding(home: ZoneHome, isInit: boolean): Promise<Finding> {
  const other = home.zone === 'cloud' ? 'the local zone' : 'the cloud zone'
  let isKnown = true
  const finding = await attempt('pairing', `knows ${other}`, async () => {
    isKnown = (await readAgents(home.trust)).some((agent) => agent.zone !== home.zone)
  })
  if (isKnown) return finding
  if (isInit) return { ...finding, result: 'skipped', found: `${other} is not known yet: that comes next` }
  const hint = `Run ${PROGRAM} init ${home.zone} --pair <what init shows on the other machine>`
  return { ...finding, result: 'failed', found: `${other} is not known`, hint }
}

/** The hub's address comes with the pairing: told there. */
function settingsBefore(findings: readonly Finding[], isInit: boolean): Finding[] {
  const others = findings.filter(({ found }) => !(isInit && found.startsWith('COUNTERSIGN_HUB_URL: missing')))
  return others.length > 0 ? others : [{ check: 'settings', result: 'ok', found: 'complete but for the hub' }]
}

function nodeFinding(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  return { check: 'node', result: major >= 24 ? 'ok' : 'failed', found: `version ${process.versions.node}` }
}

function gitFinding(): Promise<Finding> {
  return attempt('git', '', async () => {
    const { stdout } = await run('git', ['--version'])
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number)
    if (major < OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor < OLDEST_GIT[1]))
      throw new Error(`${stdout.trim()}; ${OLDEST_GIT.join('.')} or newer is needed`)
    return stdout.trim()
  })
}
