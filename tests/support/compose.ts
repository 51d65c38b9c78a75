import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../../demo/free-ports.ts'
import { type MailContainer, startMailContainer } from '../../demo/mailbox/container.ts'
import { type Machine, startMachine } from './machine.ts'

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
  readonly newcomer: Newcomer
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

/** Makes both zones by the wizard, on two empty machines. */
export async function prepareZones(): Promise<ComposeZones> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'countersign-e2e-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const id = randomBytes(4).toString('hex')
  const [hubPort = 0, healthPort = 0, http = 0, https = 0] = await freePorts(4)
  // What two machines of their own need not be told: that they do not get into each other's way.
  const settings: Record<string, string> = {
    COUNTERSIGN_LOCAL_HEALTH_PORT: String(healthPort),
    ...{
      COUNTERSIGN_WEB_BIND: '127.0.0.1',
      COUNTERSIGN_WEB_HTTP_PORT: String(http),
      COUNTERSIGN_WEB_PORT: String(https),
    },
  }
  const projects = { cloud: `countersign-e2e-${id}-cloud`, local: `countersign-e2e-${id}-local` }
  const network = `countersign-e2e-${id}`
  await run('docker', ['network', 'create', network])
  stack.defer(async () => void (await run('docker', ['network', 'rm', network])))
  const mail = stack.use(await startMailContainer())
  await connectTo(network, mail.container, 'mail')
  const machines = {
    cloud: stack.use(await startMachine(join(folder, 'vm'), { uid: 0, gid: 0 }, network)),
    local: stack.use(await startMachine(join(folder, 'laptop'), { uid, gid }, network)),
  }
  const newcomer = await initialise(machines, mail, hubPort)
  // As `init` ends by saying, for calls from here.
  const told = { COUNTERSIGN_UID: String(uid), COUNTERSIGN_GID: String(gid), COUNTERSIGN_HUB_PORT: String(hubPort) }
  const environment = () => ({ ...told, ...settings })
  const zones = {
    cloud: zone('cloud', projects.cloud, machines.cloud, environment),
    local: zone('local', projects.local, machines.local, environment),
  }
  stack.defer(async () => {
    // It is on networks of both zones, and Caddy may be on the local one's.
    await mail[Symbol.asyncDispose]()
    for (const { compose } of [zones.cloud, zones.local]) await compose('down', '-v', '--remove-orphans', '-t', '2')
  })
  const ended = stack.move()
  return {
    ...zones,
    mail,
    newcomer,
    hubPort,
    webPorts: { http, https },
    settings,
    async up(name) {
      const { compose, project } = zones[name]
      const services = (await compose('config', '--services')).split('\n').filter((one) => one && one !== 'grafana')
      await compose('create', '--build', '--quiet-pull', ...services)
      // The mailbox is out on the Internet for both zones: on the one network of each that leads there.
      await connectTo(`${project}_${MAIL_NETWORK[name]}`, mail.container, 'mail')
      // The very line that `init` ended with. Grafana, which nothing needs, is left out.
      const line = `${newcomer.start[name]} --wait --wait-timeout 240 ${services.join(' ')}`
      await machines[name].run(line, { ...settings, COMPOSE_PROJECT_NAME: project })
    },
    [Symbol.asyncDispose]: () => ended.disposeAsync(),
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

/** What the owner of two empty machines did, was told, and waited for. */
export interface Newcomer {
  /** When they began, as `performance.now()` has it. */
  readonly begun: number
  /** What was shown on the terminals, in the order of the steps. */
  readonly shown: readonly { readonly line: string; readonly text: string; readonly seconds: number }[]
  /** The line by which each zone is started, as `init` ended with it. */
  readonly start: Readonly<Record<ZoneName, string>>
  /** A line on the machine of a zone. */
  run(zone: ZoneName, line: string): Promise<string>
}

/**
 * As README says: `init` on each machine, what the one says pasted at the other. On the VM by options, as a script would;
 * on the own machine in a terminal, by answers.
 */
async function initialise(
  machines: Record<ZoneName, Machine>,
  mail: MailContainer,
  hubPort: number,
): Promise<Newcomer> {
  const { address, password } = mail.accounts.owner
  const begun = performance.now()
  const shown: { line: string; text: string; seconds: number }[] = []
  const timed = async (line: string, act: () => Promise<string>) => {
    const begun = performance.now()
    const text = (await act()).replaceAll('\r\n', '\n')
    shown.push({ line, text, seconds: (performance.now() - begun) / 1000 })
    return text
  }
  const inCloud = (line: string) => timed(line, () => machines.cloud.run(line))
  // The mail server of the tests speaks without TLS.
  const imap = '--allow-plaintext true --imap-port 143 --imap-tls none'
  const smtp = '--smtp-port 587 --smtp-tls none'
  const owner = `--owner-address ${address} --owner-name 'Olivia Owner' --owner ${uid}:${gid}`
  // It stands in a network of this machine, and is all that is outside of the zone for sure.
  const place = '--set COUNTERSIGN_EGRESS_PRIVATE=mail --set COUNTERSIGN_PROVE_OUTSIDE=mail:143'
  await machines.cloud.run(`umask 077 && printf %s '${password}' >/tmp/password`)
  const cloud = await inCloud(
    `npx countersign init cloud ${owner} ${imap} --imap-host mail --imap-user ${address} ${place} --imap-password-file /tmp/password --hub-host host.docker.internal:${hubPort}`,
  )
  const line = `${pastedAt('local', cloud)} ${imap} ${smtp} --set COUNTERSIGN_UNDO_MS=1000`
  const local = await timed(line, () =>
    machines.local.typed(line, [
      ['Your e-mail address', address],
      ['Your name', 'Olivia Owner'],
      ['IMAP server', 'mail'],
      ['IMAP user', ''],
      ['SMTP server', 'mail'],
      ['SMTP user', ''],
      ['IMAP password', password],
      ['SMTP password', password],
    ]),
  )
  const again = await inCloud(`${pastedAt('cloud', local)}`)
  return {
    begun,
    shown,
    start: { cloud: startLine(again), local: startLine(local) },
    run: (zone, line) => machines[zone].run(line),
  }
}

function pastedAt(zone: ZoneName, shown: string): string {
  const line = new RegExp(`npx countersign init ${zone} --pair cs1-\\S+`).exec(shown)?.[0]
  if (line === undefined) throw new Error(`no line to paste at ${zone}:\n${shown}`)
  return line
}

function startLine(shown: string): string {
  const line = /start this zone[^:]*: (.*up -d)/.exec(shown)?.[1]
  if (line === undefined) throw new Error(`no line to start the zone with:\n${shown}`)
  return line
}

function zone(
  name: ZoneName,
  project: string,
  { checkout }: Machine,
  settings: () => Record<string, string>,
): ComposeZone {
  const home = join(checkout, 'zones', name)
  const prefix = ['compose', '-p', project, '-f', join(checkout, `compose.${name}.yml`)]
  const docker = async (args: string[]) =>
    (await run('docker', args, { env: { ...process.env, ...settings() }, cwd: checkout, maxBuffer: MAX_OUTPUT })).stdout
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
