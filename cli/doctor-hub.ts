import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRepo } from '#adapters/git/repo.ts'
import { readAgents } from '#adapters/keys/trust-files.ts'
import type { Finding } from '#core/finding.ts'
import { PROGRAM } from './cli.ts'
import { attempt } from './finding.ts'
import type { ZoneHome } from './zone-home.ts'

const CHECK = 'hub'
/** What ssh says, and what it means for the person. */
const SAID: readonly {
  readonly by: RegExp
  readonly found: string
  readonly hint: string
  readonly isBefore?: true
}[] = [
  {
    by: /could not resolve hostname/i,
    found: 'no machine of that name is known here',
    hint: 'Correct COUNTERSIGN_HUB_URL in .env.local to the name or address of the cloud machine.',
  },
  {
    by: /connection refused/i,
    found: 'the machine is there, and nothing answers at that port',
    hint: 'Start the cloud zone there: docker compose -f compose.cloud.yml up -d',
    isBefore: true,
  },
  {
    by: /timed out|timeout|no route to host|network is unreachable|within \d+ ms/i,
    found: 'no answer',
    hint: 'See that the cloud machine is on, and that its firewall, and its provider’s, let this port in.',
  },
  {
    by: /permission denied/i,
    found: 'it answers, and does not know this zone',
    hint: `On the cloud machine: ${PROGRAM} init cloud --pair <what init local shows here>`,
    isBefore: true,
  },
  {
    by: /host key verification failed|host identification has changed/i,
    found: 'another machine answers than the one this zone was paired with',
    hint: 'If the cloud machine was made anew, pair anew (docs/disasters.md). If not, somebody may stand in between: do not go on.',
  },
]

/** Asks the hub for its head. `isBefore`: during `init`, when it need not be up nor know this zone yet. */
export async function hubFinding(home: ZoneHome, env: Record<string, string>, isBefore = false): Promise<Finding> {
  const url = env.COUNTERSIGN_HUB_URL
  if (!url && isBefore) return { check: CHECK, result: 'skipped', found: 'its address comes with the pairing' }
  if (!url) return { check: CHECK, result: 'failed', found: 'COUNTERSIGN_HUB_URL is empty: run init with --pair' }
  const owner = url.startsWith('/') ? await stat(url).catch(() => undefined) : undefined
  // git serves nothing that belongs to somebody else, not even to root.
  if (process.getuid?.() === 0 && owner && owner.uid !== 0)
    return { check: CHECK, result: 'skipped', found: `${url} belongs to user ${owner.uid}, who runs the containers` }
  let reason: string | undefined
  const finding = await attempt(CHECK, `${url} answers`, async () => {
    reason = await askHub(home, url)
    if (reason !== undefined) throw new Error(`${url}: ${reason}`)
  })
  if (reason === undefined) return finding
  return sayHubFault(url, reason, isBefore)
}

/** What git's words mean. */
export function sayHubFault(url: string, reason: string, isBefore = false): Finding {
  const known = SAID.find(({ by }) => by.test(reason))
  if (!known) {
    const hint =
      'Check the network, COUNTERSIGN_HUB_URL and the hub’s log: docker compose -f compose.cloud.yml logs hub'
    return { check: CHECK, result: 'failed', found: `asking ${url}: ${reason}`, hint }
  }
  if (isBefore && known.isBefore)
    return { check: CHECK, result: 'skipped', found: `${url}: ${known.found} yet; that comes next` }
  return { check: CHECK, result: 'failed', found: `${url}: ${known.found}`, hint: known.hint }
}

/** Why it did not answer; undefined when it did. */
async function askHub(home: ZoneHome, url: string): Promise<string | undefined> {
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
    return outcome.kind === 'ok' ? undefined : outcome.reason
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
