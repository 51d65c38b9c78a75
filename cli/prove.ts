import { lookup } from 'node:dns/promises'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { readUpTo } from '#core/http-answer.ts'
import { serversIn, toolNames } from '#core/mcp-tools.ts'
import { type AskedService, type ProofDocument, proofOf } from '#core/proof.ts'
import { readAsked } from '#core/proof-answer.ts'
import { healthSettings, type Target } from '#services/health/config.ts'
import { terminalText } from './table.ts'

/** Odoo is tried with some forty calls, the hub by a push. */
const ASK_MS = 150_000
const LIST_MS = 20_000
const STARTING_MS = 20_000
const MAX_ANSWER = 4 * 1024 * 1024

export interface ProofPlaces {
  /** Services of the zone: name → address of their health endpoints. */
  readonly targets: readonly Target[]
  /** Asked as well when there is one: a profile starts it, and whoever starts it may have told health nothing of it. */
  readonly unlisted: readonly Target[]
  /** Where the programs of the image lie. */
  readonly programs: string
}

/**
 * Where the zone's services are, by what the container of its health service was told. Throws ERR_NOT_RUNNING anywhere else,
 * ERR_ZONE_FORBIDDEN in the local zone.
 */
export function proofPlaces(env: NodeJS.ProcessEnv, program: string): ProofPlaces {
  const { COUNTERSIGN_ZONE: zone, COUNTERSIGN_HTTP_PORT: port = '8080' } = env
  if (zone === 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', 'proving that the local zone cannot act: it is the one that does')
  const { data: targets } = healthSettings.targets.schema.safeParse(env[healthSettings.targets.name])
  if (!targets)
    throw new CountersignError(
      'ERR_NOT_RUNNING',
      'asking the services of the cloud zone: this is not the container of its health service; run `docker compose -f compose.cloud.yml exec health countersign prove`',
    )
  const own = { name: 'health', url: `http://127.0.0.1:${port}` }
  const unlisted = targets.some(({ name }) => name === BACKUP.name) ? [] : [BACKUP]
  return { targets: [...targets, own], unlisted, programs: dirname(program) }
}

/** As the compose files name it. It reads every secret of the zone. */
const BACKUP = { name: 'backup', url: 'http://backup:8080' }
const NO_SUCH_HOST = ['ENOTFOUND', 'EAI_AGAIN']

/** Asks every service what it sees of itself and can do, and the MCP servers which tools they list. */
export async function gatherProof(
  { targets, unlisted, programs }: ProofPlaces,
  nowMs: number,
  patienceMs = STARTING_MS,
): Promise<ProofDocument> {
  const ask = (target: Target) => askPatiently(target, patienceMs)
  const askIfThere = async (target: Target) => ((await isNamed(target)) ? [await ask(target)] : [])
  const [asked, tools] = await Promise.all([
    Promise.all([...targets.map(ask), ...unlisted.map(askIfThere)]),
    toolFindings(programs),
  ])
  return proofOf(asked.flat(), tools, new Date(nowMs).toISOString())
}

/** A name that leads nowhere is a service that was never started. */
async function isNamed({ url }: Target): Promise<boolean> {
  const code = await lookup(new URL(url).hostname).then(
    () => '',
    (error: NodeJS.ErrnoException) => error.code ?? '',
  )
  return !NO_SUCH_HOST.includes(code)
}

/** One that is just starting is asked again for a while. */
async function askPatiently(target: Target, patienceMs: number): Promise<AskedService> {
  for (const end = performance.now() + patienceMs; ; await delay(STARTING_MS / 10)) {
    const answer = await askService(target)
    if (!('why' in answer) || performance.now() > end) return answer
  }
}

async function askService({ name, url }: Target): Promise<AskedService> {
  try {
    const response = await fetch(`${url}/proof`, { signal: AbortSignal.timeout(ASK_MS), redirect: 'error' })
    const answer = await readUpTo(response.body, MAX_ANSWER)
    if (!response.ok) return { service: name, why: `it answered ${response.status}` }
    return (answer && readAsked(name, String(answer))) ?? { service: name, why: 'it answered something else' }
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: unknown } }
    return { service: name, why: `it does not answer: ${typeof cause?.code === 'string' ? cause.code : message}` }
  }
}

/** Starts each MCP server of the image as a client would, and holds what it lists against the table of the cloud's tools. */
async function toolFindings(programs: string): Promise<Finding[]> {
  const check = 'MCP servers list tools that look and draft, and no other'
  const found = (await readdir(programs).catch(() => [])).filter((name) => /^mcp-[a-z]+\.mjs$/.test(name)).sort()
  if (found.length === 0) return [{ check, result: 'skipped', found: 'there is none beside this program' }]
  const home = await mkdtemp(join(tmpdir(), 'countersign-tools-'))
  try {
    const env = await emptyZone(home)
    const listed: string[] = []
    const faults: string[] = []
    const unknown: string[] = []
    for (const program of found) {
      const server = program.slice('mcp-'.length, -'.mjs'.length)
      try {
        const tools = await listTools(join(programs, program), env)
        const named = serversIn('cloud').find((one) => one === server)
        const table: readonly string[] = named ? toolNames(named, 'cloud') : []
        const odd = tools.filter((tool) => !table.includes(tool))
        if (odd.length > 0) faults.push(`${server} has ${odd.join(', ')}`)
        listed.push(`${server}: ${tools.join(', ')}`)
      } catch (error) {
        unknown.push(`${server} did not list its tools: ${(error as Error).message.split('\n')[0]}`)
      }
    }
    const hint =
      'Build the images anew from a checkout that you trust: `docker compose -f compose.cloud.yml build --no-cache`.'
    if (faults.length > 0) return [{ check, result: 'failed', found: faults.join('; '), hint }]
    if (unknown.length > 0) return [{ check, result: 'skipped', found: unknown.join('; ') }]
    return [{ check, result: 'ok', found: listed.join('; ') }]
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** Settings with which each server starts: a zone that is empty, and servers that are nowhere. None is asked anything. */
async function emptyZone(home: string): Promise<Record<string, string>> {
  for (const folder of ['vault', 'state', 'keys', 'trust']) await mkdir(join(home, folder))
  await writeFile(join(home, 'secret'), 'none', { mode: 0o600 })
  const at = (name: string) => join(home, name)
  return {
    ...{
      COUNTERSIGN_ZONE: 'cloud',
      COUNTERSIGN_AGENT: 'cloud',
      COUNTERSIGN_OWNER_ADDRESS: 'nobody@countersign.invalid',
    },
    ...{ COUNTERSIGN_VAULT: at('vault'), COUNTERSIGN_STATE: at('state'), COUNTERSIGN_KEYS: at('keys') },
    ...{ COUNTERSIGN_TRUST: at('trust'), COUNTERSIGN_REDIS_URL: 'redis://countersign.invalid:6379' },
    ...{
      COUNTERSIGN_IMAP_HOST: 'countersign.invalid',
      COUNTERSIGN_IMAP_USER: 'nobody',
      COUNTERSIGN_IMAP_PASSWORD_FILE: at('secret'),
    },
    ...{
      COUNTERSIGN_ODOO_URL: 'https://countersign.invalid',
      COUNTERSIGN_ODOO_DB: 'none',
      COUNTERSIGN_ODOO_KEY_FILE: at('secret'),
    },
  }
}

async function listTools(program: string, env: Record<string, string>): Promise<string[]> {
  const { Client } = await import('@modelcontextprotocol/client')
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
  const client = new Client({ name: 'countersign-prove', version: '0' })
  const args = ['--disable-warning=ExperimentalWarning', program]
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }), {
    timeout: LIST_MS,
  })
  try {
    return (await client.listTools(undefined, { timeout: LIST_MS })).tools.map(({ name }) => name)
  } finally {
    await client.close()
  }
}

const HEAD = {
  holds: 'This cloud zone cannot act, as far as it can be seen from inside.',
  broken: 'This cloud zone holds something that it must not:',
  incomplete: 'Nothing was found that must not be, and not everything could be looked at:',
} as const

/** One page for a terminal. */
export function renderProof({ verdict, lines, limits, at }: ProofDocument): string {
  const marks = { ok: '✓', repaired: '+', failed: '✗', skipped: '?' } as const
  const rows = lines.map(({ result, check, found, hint, service }) => {
    const what = service ? `${service}: ${check}` : check
    const happened = result === 'skipped' ? `not checked: ${found}` : found
    return `${marks[result]} ${terminalText(what, 200)}\n    ${terminalText(hint ? `${happened}. ${hint}` : happened, 600)}`
  })
  return [
    `${HEAD[verdict]} (${at})`,
    rows.join('\n'),
    `Not seen from inside, and so not checked:\n${limits.map((one) => `  - ${one}`).join('\n')}`,
  ].join('\n\n')
}
