import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openRepo } from '#adapters/git/repo.ts'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { bankFindings } from './doctor-banks.ts'
import { guardFindings } from './doctor-guard.ts'
import { goalsFinding, handbookFinding } from './doctor-handbook.ts'
import { keyFindings } from './doctor-key.ts'
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

/** Looks at this machine and this home, and tries for real what can be tried without changing anything. */
export async function examine(home: ZoneHome): Promise<Finding[]> {
  const env = environmentOf(home)
  return [
    nodeFinding(),
    await gitFinding(),
    ...(await permissionFindings(home)),
    ...(await secretFindings(home)),
    ...(await guardFindings(home)),
    ...(await keyFindings(home, env)),
    await handbookFinding(home.vault),
    await goalsFinding(home.vault),
    await skillsFinding({ ...process.env, ...env }),
    await attempt('pairing', `knows ${home.zone === 'cloud' ? 'the local' : 'the cloud'} zone`, async () => {
      const zones = (await readAgents(home.trust)).map((agent) => agent.zone)
      if (new Set(zones).size < 2) throw new Error('only this zone is known: run init with --pair')
    }),
    ...(await settingsFindings(home.zone, env)),
    await hubFinding(home, env),
    ...(await mailFindings(home.zone, env)),
    ...(await socialFindings(home.zone, env)),
    ...(await modelFindings(home.zone, env)),
    ...(await odooFindings(home.zone, env)),
    ...(await bankFindings(home.zone, env)),
    await redisFinding(env),
    ...(home.zone === 'local' ? [await notifyFinding(env)] : []),
  ]
}

/** A table for a terminal: one line a check, the hint under what failed. */
export function renderFindings(findings: readonly Finding[]): string {
  const marks = { ok: '✓', repaired: '+', failed: '✗', skipped: '·' }
  return renderTable(
    findings.map((one) => [
      marks[one.result],
      one.check,
      terminalText(one.hint ? `${one.found}. ${one.hint}` : one.found, 500),
    ]),
  )
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

/** Keys and secrets that others on this machine can read are no secrets. */
async function permissionFindings(home: ZoneHome): Promise<Finding[]> {
  return Promise.all(
    [home.keys, home.secrets, ...(existsSync(home.social) ? [home.social] : [])].map((folder) =>
      attempt(folder, 'only its owner can open it', async () => {
        const mode = (await stat(folder)).mode & 0o777
        if (mode & 0o077) throw new Error(`mode ${mode.toString(8)}: others can open it; chmod 700`)
      }),
    ),
  )
}

async function hubFinding(home: ZoneHome, env: Record<string, string>): Promise<Finding> {
  const url = env.COUNTERSIGN_HUB_URL
  if (!url) return { check: 'hub', result: 'failed', found: 'COUNTERSIGN_HUB_URL is empty: run init with --pair' }
  const owner = url.startsWith('/') ? await stat(url).catch(() => undefined) : undefined
  // git serves nothing that belongs to somebody else, not even to root.
  if (process.getuid?.() === 0 && owner && owner.uid !== 0)
    return { check: 'hub', result: 'skipped', found: `${url} belongs to user ${owner.uid}, who runs the containers` }
  return attempt('hub', `${url} answers`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-doctor-'))
    try {
      await using repo = await openRepo({
        gitDir: join(folder, 'repo.git'),
        hubUrl: url,
        agent: home.agent,
        signingKeyFile: join(home.keys, 'signing'),
        agents: await readAgents(home.trust),
        ssh: { deployKeyFile: join(home.keys, 'deploy'), knownHostsFile: join(home.trust, 'known_hosts') },
      })
      const outcome = await repo.remoteHead()
      if (outcome.kind !== 'ok') throw new CountersignError('ERR_HUB_UNREACHABLE', `asking ${url}: ${outcome.reason}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}
