import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../../demo/free-ports.ts'
import { type MailContainer, startMailContainer } from '../../demo/mailbox/container.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
/** Root gives the zones to 1000, as a person on a fresh VM would; anyone else runs the containers as themselves. */
const uid = process.getuid?.() || 1000
const gid = process.getgid?.() || 1000
const MAX_OUTPUT = 16 * 1024 * 1024

export type ZoneName = 'cloud' | 'local'

export interface Container {
  readonly Service: string
  readonly State: string
  readonly Health: string
  readonly ID: string
}

/** One zone as its compose file runs it, under a project name and in a home of its own. */
export interface ComposeZone {
  readonly project: string
  readonly home: string
  readonly vault: string
  /** `docker compose -f … -p … <args>`; resolves with stdout, rejects with both outputs. */
  compose(...args: string[]): Promise<string>
  /** The same with a file laid over the zone's. */
  composeOver(file: string, ...args: string[]): Promise<string>
  exec(service: string, ...command: string[]): Promise<string>
  containers(): Promise<readonly Container[]>
  /** `countersign --json … <args>` of this checkout on the zone's home. */
  cli(...args: string[]): Promise<unknown>
}

/** Both zones of `compose.*.yml` and a mail server; nothing is up yet. Disposing removes everything. */
export interface ComposeZones extends AsyncDisposable {
  readonly cloud: ComposeZone
  readonly local: ComposeZone
  readonly mail: MailContainer
  readonly hubPort: number
  /** Of the machine: where the web's two ports are published. */
  readonly webPorts: { readonly http: number; readonly https: number }
  /** What Compose is told by variables, from the next call on. */
  readonly settings: Record<string, string>
  /** Builds, starts and waits until every service of the zone (Grafana, which nothing needs, left out) is healthy. */
  up(zone: ZoneName): Promise<void>
}

export async function isDockerAnswering(): Promise<boolean> {
  return run('docker', ['info'], { timeout: 10_000 }).then(
    () => true,
    () => false,
  )
}

export async function prepareZones(): Promise<ComposeZones> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-e2e-'))
  const id = randomBytes(4).toString('hex')
  const [hubPort = 0, healthPort = 0, http = 0, https = 0] = await freePorts(4)
  const settings: Record<string, string> = {
    COUNTERSIGN_UID: String(uid),
    COUNTERSIGN_GID: String(gid),
    COUNTERSIGN_CLOUD_HOME: join(folder, 'cloud'),
    COUNTERSIGN_LOCAL_HOME: join(folder, 'local'),
    COUNTERSIGN_HUB_PORT: String(hubPort),
    COUNTERSIGN_LOCAL_HEALTH_PORT: String(healthPort),
    ...{
      COUNTERSIGN_WEB_BIND: '127.0.0.1',
      COUNTERSIGN_WEB_HTTP_PORT: String(http),
      COUNTERSIGN_WEB_PORT: String(https),
    },
  }
  const zones = {
    cloud: zone('cloud', `countersign-e2e-${id}-cloud`, folder, settings),
    local: zone('local', `countersign-e2e-${id}-local`, folder, settings),
  }
  const mail = await startMailContainer()
  try {
    await initialise(zones, folder, mail, hubPort)
  } catch (error) {
    await mail[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return {
    ...zones,
    mail,
    hubPort,
    webPorts: { http, https },
    settings,
    async up(name) {
      const { compose, project } = zones[name]
      const services = (await compose('config', '--services')).split('\n').filter((one) => one && one !== 'grafana')
      await compose('create', '--build', '--quiet-pull', ...services)
      // The mailbox is out on the Internet for both zones: on the one network of each that leads there.
      await connectTo(`${project}_${MAIL_NETWORK[name]}`, mail.container, 'mail')
      await compose('up', '-d', '--wait', '--wait-timeout', '120', ...services)
    },
    async [Symbol.asyncDispose]() {
      await mail[Symbol.asyncDispose]()
      // Caddy may be on the local zone's network.
      for (const { compose } of [zones.cloud, zones.local]) await compose('down', '-v', '--remove-orphans', '-t', '2')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Gives a container a name on a network, once. */
export async function connectTo(network: string, container: string, alias: string): Promise<void> {
  try {
    await run('docker', ['network', 'connect', '--alias', alias, network, container])
  } catch (error) {
    if (!String(error).includes('already exists in network')) throw error
  }
}

const MAIL_NETWORK: Record<ZoneName, string> = { cloud: 'internet', local: 'mail' }

/** As a person would: `init` on each machine, the pairing files carried across. */
async function initialise(
  zones: Record<ZoneName, ComposeZone>,
  folder: string,
  mail: MailContainer,
  hubPort: number,
): Promise<void> {
  const { address, password } = mail.accounts.owner
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  const owner = ['--owner-address', address, '--owner-name', 'Olivia Owner', '--owner', `${uid}:${gid}`]
  // The mail server of the tests speaks without TLS.
  const plaintext = ['--allow-plaintext', 'true']
  const imap = [...plaintext, '--imap-host', 'mail', '--imap-port', '143', '--imap-user', address, '--imap-tls', 'none']
  const smtp = ['--smtp-host', 'mail', '--smtp-port', '587', '--smtp-user', address, '--smtp-tls', 'none']
  const secrets = ['--imap-password-file', passwordFile]
  const pairing = (zone: ZoneName) => ['--pair', join(folder, zone, `pairing-${zone}.json`)]
  const hub = ['--hub-host', `host.docker.internal:${hubPort}`]
  await zones.cloud.cli('init', 'cloud', ...owner, ...imap, ...secrets, ...hub)
  await zones.local.cli(
    ...['init', 'local', ...owner, ...imap, ...smtp, ...secrets],
    ...['--smtp-password-file', passwordFile, ...pairing('cloud')],
  )
  await zones.cloud.cli('init', 'cloud', ...pairing('local'), '--owner', `${uid}:${gid}`)
  await appendFile(join(folder, 'local', '.env.local'), 'COUNTERSIGN_UNDO_MS=1000\n')
  // It stands in a network of this machine, and is all that is outside of the zone for sure.
  await appendFile(
    join(folder, 'cloud', '.env.cloud'),
    'COUNTERSIGN_EGRESS_PRIVATE=mail\nCOUNTERSIGN_PROVE_OUTSIDE=mail:143\n',
  )
}

function zone(name: ZoneName, project: string, folder: string, settings: Record<string, string>): ComposeZone {
  const home = join(folder, name)
  const prefix = ['compose', '-p', project, '-f', join(root, `compose.${name}.yml`)]
  const docker = async (args: string[]) =>
    (await run('docker', args, { env: { ...process.env, ...settings }, cwd: root, maxBuffer: MAX_OUTPUT })).stdout
  const compose = (...args: string[]) => docker([...prefix, ...args])
  return {
    project,
    home,
    vault: join(home, 'vault'),
    compose,
    composeOver: (file, ...args) => docker([...prefix, '-f', file, ...args]),
    exec: (service, ...command) => compose('exec', '-T', service, ...command),
    async containers() {
      const lines = (await compose('ps', '-a', '--format', 'json')).split('\n').filter(Boolean)
      return lines.map((line) => JSON.parse(line) as Container)
    },
    async cli(...args) {
      const command = [join(root, 'cli/main.ts'), '--json', '--home', home, ...args]
      const { stdout } = await run(process.execPath, command, { cwd: root, maxBuffer: MAX_OUTPUT })
      return JSON.parse(stdout)
    },
  }
}
