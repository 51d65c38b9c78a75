import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Finding } from '#core/finding.ts'
import { PROGRAM } from './cli.ts'
import { clockFinding } from './doctor-clock.ts'
import { diskFinding } from './doctor-disk.ts'
import { dockerFindings } from './doctor-docker.ts'
import { hubNameFindings, siteFindings } from './doctor-names.ts'
import { type PublishedPort, portFindings } from './doctor-ports.ts'
import { pairingFileOf, readPairing, sshHost } from './init/pairing.ts'
import type { ZoneHome } from './zone-home.ts'

/** Where the compose files are, and the `.env` that Compose reads beside them. */
const REPOSITORY = join(import.meta.dirname, '..')
const IS_BUNDLED = !import.meta.filename.endsWith('.ts')
type Env = Readonly<Record<string, string | undefined>>

/** What the zone needs of the machine it stands on. Nothing of it can be judged from inside one of its containers. */
export async function machineFindings(home: ZoneHome, env: Readonly<Record<string, string>>): Promise<Finding[]> {
  if (!existsSync(home.secrets)) return [await clockFinding(env)]
  const compose = await composeSettings()
  const hub = home.zone === 'cloud' ? await hubAddress(home) : undefined
  const sites = home.zone === 'cloud' ? sitesIn(compose) : []
  const [disk, clock, docker, ports, hubName, names] = await Promise.all([
    diskFinding(home.root),
    clockFinding(env),
    IS_BUNDLED ? [] : dockerFindings(),
    portFindings(home.zone, publishedPorts(home, compose, hub?.port)),
    hubNameFindings(hub?.host),
    siteFindings(sites, hub?.host),
  ])
  return [disk, clock, ...docker, ...ports, ...hubName, ...names]
}

/** What Compose is told: variables, then its file. */
async function composeSettings(): Promise<Env> {
  const folder = IS_BUNDLED ? process.cwd() : REPOSITORY
  const text = await readFile(join(folder, '.env'), 'utf8').catch(() => '') // there need be none
  return { ...parseEnv(text), ...process.env }
}

/** As the cloud tells it to the local zone. */
async function hubAddress(home: ZoneHome) {
  const pairing = await readPairing(pairingFileOf(home)).catch(() => undefined) // init was not run to its end
  return sshHost(pairing?.hub?.url ?? '')
}

function publishedPorts(home: ZoneHome, compose: Env, hubPort = 2222): PublishedPort[] {
  const at = (name: string, standard: number) => Number(compose[name] || standard)
  const free = (name: string) =>
    `Stop what has it, or choose another port: ${name}=<port> in .env beside the compose file`
  if (home.zone === 'local')
    return [
      {
        port: at('COUNTERSIGN_LOCAL_HEALTH_PORT', 8788),
        service: 'health',
        hint: free('COUNTERSIGN_LOCAL_HEALTH_PORT'),
      },
    ]
  const web =
    'Stop what has it (often: sudo systemctl disable --now apache2 nginx). Let’s Encrypt comes to this port alone.'
  return [
    {
      port: at('COUNTERSIGN_HUB_PORT', hubPort),
      service: 'hub',
      hint: `Stop what has it, or choose another: ${PROGRAM} init cloud --hub-host <this machine>:<port>, and pair once more`,
    },
    { port: at('COUNTERSIGN_GRAFANA_PORT', 3000), service: 'grafana', hint: free('COUNTERSIGN_GRAFANA_PORT') },
    ...(showsSites(compose)
      ? [
          { port: at('COUNTERSIGN_WEB_HTTP_PORT', 80), service: 'caddy', hint: web },
          { port: at('COUNTERSIGN_WEB_PORT', 443), service: 'caddy', hint: web },
        ]
      : []),
  ]
}

function showsSites({ COMPOSE_PROFILES }: Env): boolean {
  return (COMPOSE_PROFILES ?? '').split(',').includes('https')
}

/** Names that a public authority has to find here. */
function sitesIn(compose: Env): string[] {
  if (!showsSites(compose) || compose.COUNTERSIGN_CERTIFICATES === 'internal') return []
  return [compose.COUNTERSIGN_ODOO_SITE, compose.COUNTERSIGN_GRAFANA_SITE].flatMap((one) => one || [])
}
