import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The parts of `docker compose config --format json` that the policy looks at. */
export interface ComposeConfig {
  /** The repository's folder: what may be mounted lies below it (with the default zone homes). */
  readonly root: string
  readonly services: Readonly<Record<string, ComposeService>>
  readonly networks?: Readonly<
    Record<
      string,
      {
        readonly internal?: boolean
        readonly external?: boolean
        readonly driver_opts?: Readonly<Record<string, string>>
      }
    >
  >
  readonly secrets?: Readonly<Record<string, { readonly file?: string; readonly environment?: string }>>
}

export interface ComposeService {
  readonly profiles?: readonly string[]
  readonly image?: string
  readonly user?: string
  readonly init?: boolean
  readonly privileged?: boolean
  readonly read_only?: boolean
  readonly cap_add?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly devices?: readonly unknown[]
  readonly security_opt?: readonly string[]
  readonly network_mode?: string
  readonly pid?: string
  readonly ipc?: string
  readonly pids_limit?: number
  readonly mem_limit?: string
  readonly restart?: string
  readonly stop_grace_period?: string
  readonly tmpfs?: readonly string[]
  readonly logging?: { readonly driver?: string; readonly options?: Readonly<Record<string, string>> }
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly environment?: Readonly<Record<string, string | null>>
  readonly networks?: Readonly<Record<string, unknown>>
  readonly ports?: readonly { readonly host_ip?: string; readonly target?: number; readonly published?: string }[]
  readonly secrets?: readonly { readonly source?: string }[]
  readonly volumes?: readonly {
    readonly type: string
    readonly source?: string
    readonly target: string
    readonly read_only?: boolean
  }[]
}

type Rule = (service: ComposeService, name: string, config: ComposeConfig) => boolean
type Rules = Readonly<Record<string, Rule>>

const SECRET_NAME = /(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS?|PRIVATE_KEY|API_KEY|_KEY|_PASS)$/
const CREDENTIALS_IN_URL = /:\/\/[^/@\s]*:[^/@\s]+@/
/** The ports that other machines may reach. */
const PUBLISHED_TO_OTHERS = [
  { service: 'hub', target: 2222 },
  { service: 'caddy', target: 80 },
  { service: 'caddy', target: 443 },
]
/** Capabilities that some keep: Caddy may bind a low port. */
const KEPT_CAPABILITIES: Readonly<Record<string, readonly string[]>> = { caddy: ['NET_BIND_SERVICE'] }

/** Images without a shell to look at themselves with; Prometheus tells when one does not answer. */
const WITHOUT_HEALTHCHECK = ['node-exporter', 'redis-exporter']
/** The kernel's figures of the machine: nothing of its processes, files or network but counters. */
const KERNEL_FIGURES = ['stat', 'meminfo', 'loadavg', 'diskstats', 'vmstat', '1/net/dev'].map((name) => `/proc/${name}`)

/** What every container of both zones is held to: rule → whether a service keeps it. */
const RULES: Rules = {
  'image is pinned to a version': ({ image = '' }) => /:[^:@/]*\d[^:@/]*$/.test(image) && !/:latest$/.test(image),
  'runs as a user other than root, by number': ({ user = '' }) => /^[1-9]\d*:\d+$/.test(user),
  'is not privileged': ({ privileged }) => privileged !== true,
  'has a read-only root': ({ read_only }) => read_only === true,
  'has no capabilities': ({ cap_add = [], cap_drop = [] }, name) =>
    cap_drop.includes('ALL') && cap_add.every((one) => KEPT_CAPABILITIES[name]?.includes(one)),
  'gains no privileges, and keeps seccomp and AppArmor': ({ security_opt = [] }) =>
    security_opt.includes('no-new-privileges:true') && !security_opt.some((option) => /unconfined/.test(option)),
  'has no devices': ({ devices = [] }) => devices.length === 0,
  'has namespaces of its own': ({ network_mode, pid, ipc }) =>
    network_mode === undefined && pid === undefined && ipc === undefined,
  'has its own init, so that a hung process can be ended': ({ init }) => init === true,
  'has a limit of processes': ({ pids_limit = 0 }) => pids_limit > 0 && pids_limit <= 256,
  'has a limit of memory': ({ mem_limit = '0' }) => Number(mem_limit) > 0,
  'has a healthcheck': ({ healthcheck }, name) =>
    WITHOUT_HEALTHCHECK.includes(name) || ((healthcheck?.test?.length ?? 0) > 1 && healthcheck?.disable !== true),
  'is restarted': ({ restart }) => restart === 'unless-stopped',
  'is given more time to stop than it takes to drain': ({ stop_grace_period = '10s', environment }) =>
    seconds(stop_grace_period) * 1000 > Number(environment?.COUNTERSIGN_DRAIN_MS ?? 0),
  'rotates its log': ({ logging }) =>
    logging?.options?.['max-size'] !== undefined && Number(logging.options['max-file']) > 0,
  'has temporary folders without programs': ({ tmpfs = [] }) =>
    tmpfs.every((mount) => ['noexec', 'nosuid', 'nodev', 'size='].every((option) => mount.includes(option))),
  'has no secret in its environment': ({ environment = {} }) =>
    Object.entries(environment).every(
      ([key, value]) => !value || (!SECRET_NAME.test(key) && !CREDENTIALS_IN_URL.test(value)),
    ),
  'takes its secrets from files': ({ secrets = [] }, _name, config) =>
    secrets.every(({ source = '' }) => config.secrets?.[source]?.file !== undefined),
  'mounts nothing of the host but its own folders: no Docker socket, no system folder': (
    { volumes = [] },
    name,
    { root },
  ) =>
    volumes.every(
      ({ type, source = '', read_only }) =>
        type === 'volume' ||
        (type === 'bind' && source.startsWith(`${root}/`)) ||
        (name === 'node-exporter' && read_only === true && KERNEL_FIGURES.includes(source)),
    ),
  'publishes no port beyond this machine, but the hub’s and the web’s': ({ ports = [] }, name) =>
    ports.every(
      ({ host_ip, target }) =>
        host_ip === '127.0.0.1' ||
        host_ip === '::1' ||
        PUBLISHED_TO_OTHERS.some((one) => one.service === name && one.target === target),
    ),
  'is on named networks of this zone only': ({ networks = {} }, _name, config) =>
    Object.keys(networks).length > 0 &&
    Object.keys(networks).every((network) => network !== 'default' && config.networks?.[network]?.external !== true),
}

/** Rules for particular services. */
const SERVICE_RULES: Readonly<Record<string, Rules>> = {
  'node-exporter': { 'is on the watch network only': onlyOn('watch') },
  'redis-exporter': { 'is on the watch network, and on Redis’s to ask it': onlyOn('watch', 'queue') },
  browser: {
    'is on the network of the browser only': onlyOn('browser'),
    'has no part of the vault, and nothing of the zone but its own folder': ({ volumes = [], secrets = [] }) =>
      secrets.length === 0 && volumes.every(({ source = '' }) => source.endsWith('/state/browser')),
  },
  egress: {
    'holds no secret, and of the zone nothing but the list of what may be reached, which it cannot write': ({
      volumes = [],
      secrets = [],
    }) =>
      secrets.length === 0 &&
      volumes.every(({ source = '', read_only }) => /\/(banks|mailboxes\.json)$/.test(source) && read_only),
  },
  odoo: { 'has no way out: its database and Caddy are all it sees': onlyOn('books', 'odoo') },
  'odoo-trial': {
    'is alone, without a secret, and has nothing of the zone': (service, name, config) =>
      onlyOn('odoo-trial')(service, name, config) &&
      Object.entries(config.services).every(
        ([one, { networks = {} }]) => one === name || !('odoo-trial' in networks),
      ) &&
      (service.secrets ?? []).length === 0 &&
      (service.volumes ?? []).every(({ type, read_only }) => type === 'volume' || read_only === true),
  },
  'odoo-db': { 'has no way out, and Caddy does not see it': onlyOn('books') },
  caddy: {
    'holds no secret of the zone, and nothing of it but its own folder': ({ volumes = [], secrets = [] }) =>
      secrets.length === 0 && volumes.every(({ source = '', read_only }) => read_only || source.endsWith('/caddy')),
  },
  redis: {
    'publishes nothing and is on internal networks only': ({ ports = [], networks = {} }, _name, config) =>
      ports.length === 0 && Object.keys(networks).every((network) => config.networks?.[network]?.internal === true),
    'demands a password': ({ secrets = [] }) => secrets.some(({ source }) => source === 'redis-password'),
  },
}

function onlyOn(...allowed: readonly string[]): Rule {
  return ({ networks = {}, ports = [] }, _name, config) =>
    ports.length === 0 &&
    Object.keys(networks).every((one) => allowed.includes(one) && config.networks?.[one]?.internal === true)
}

/**
 * Networks of a cloud zone that lead out, beside those which only answer at a published port (`ways`: network → who may be
 * on it). Sorted, as `network: service`; empty: nothing gets out but by these ways.
 */
export function waysOut(config: ComposeConfig, ways: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(config.services)
    .flatMap(([name, { networks = {}, ports = [] }]) =>
      Object.keys(networks)
        .filter((network) => {
          const { internal, driver_opts: options = {} } = config.networks?.[network] ?? {}
          const onlyAnswers = options[MASQUERADE] === 'false' && ports.length > 0
          return internal !== true && !onlyAnswers && !ways[network]?.includes(name)
        })
        .map((network) => `${network}: ${name}`),
    )
    .sort()
}

/** Off: what a container begins itself keeps its private address, and no answer comes back. */
const MASQUERADE = 'com.docker.network.bridge.enable_ip_masquerade'

/** Every broken rule as `service: rule`, sorted. Empty: the file keeps the policy. */
export function violations(config: ComposeConfig): string[] {
  const found: string[] = []
  for (const [name, service] of Object.entries(config.services)) {
    const rules = { ...RULES, ...SERVICE_RULES[name] }
    for (const [rule, keeps] of Object.entries(rules)) if (!keeps(service, name, config)) found.push(`${name}: ${rule}`)
  }
  return found.sort()
}

/** What compose makes of files laid over one another, without the settings of whoever runs this but `settings`. */
export async function composeConfig(
  files: readonly string[],
  root: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ComposeConfig> {
  const named = files.flatMap((file) => ['-f', file])
  const { stdout } = await promisify(execFile)(
    'docker',
    ['compose', '--env-file', '/dev/null', ...named, '--profile', '*', 'config', '--format', 'json'],
    { cwd: root, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings } },
  )
  return { ...JSON.parse(stdout), root }
}

/** Compose writes durations as Go does: `1m15s`. */
function seconds(duration: string): number {
  const [, hours = '0', minutes = '0', rest = '0'] = /^(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(duration) ?? []
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)
}
