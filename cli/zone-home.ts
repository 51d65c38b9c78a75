import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { secretSettings } from '#core/credentials.ts'
import { CountersignError } from '#core/errors.ts'
import { ZONES, type Zone } from '#core/zone-policy.ts'

/** Where everything of one zone stands on this machine. Only `vault` is synchronised. */
export type ZoneHome = {
  readonly root: string
  readonly zone: Zone
  readonly agent: string
  readonly vault: string
  readonly state: string
  readonly keys: string
  readonly trust: string
  readonly secrets: string
  /** Further mailboxes: mailboxes.json and the secrets it names; used by the cloud's home only. */
  readonly mailboxes: string
  /** Credentials of social accounts, one file a network; used by the local home only. */
  readonly social: string
  /** How banks are paid at, one script a bank; used by the local home only. */
  readonly banks: string
  /** The owner's skills, which go before those that came with the program. */
  readonly skills: string
  /** The hub's folder; used by the cloud's home only. */
  readonly hub: string
  readonly envFile: string
  /** What the settings file says; empty values left out. */
  readonly settings: Readonly<Record<string, string>>
}

/** The layout of a zone home, whether or not it exists yet. */
export function homeLayout(root: string, zone: Zone, settings: Record<string, string> = {}): ZoneHome {
  const home = resolve(root)
  return {
    root: home,
    zone,
    agent: settings.COUNTERSIGN_AGENT ?? zone,
    vault: join(home, 'vault'),
    state: join(home, 'state'),
    keys: join(home, 'keys'),
    trust: join(home, 'trust'),
    secrets: join(home, 'secrets'),
    mailboxes: join(home, 'mailboxes'),
    social: join(home, 'social'),
    banks: join(home, 'banks'),
    skills: join(home, 'skills'),
    hub: join(home, 'hub'),
    envFile: join(home, `.env.${zone}`),
    settings,
  }
}

/** Opens an existing zone home. Throws ERR_HOME_MISSING. */
export async function openZoneHome(root: string): Promise<ZoneHome> {
  for (const zone of ZONES) {
    const layout = homeLayout(root, zone)
    if (existsSync(layout.envFile)) return homeLayout(root, zone, parseSettings(await readFile(layout.envFile, 'utf8')))
  }
  throw new CountersignError(
    'ERR_HOME_MISSING',
    `looked for a zone home in ${resolve(root)}: no .env.cloud or .env.local there`,
  )
}

/**
 * The home that --home and --zone mean; else, inside a container, what the environment says; else the only one below
 * ./zones. Throws ERR_HOME_MISSING, ERR_USAGE.
 */
export async function findZoneHome(
  options: { home?: string; zone?: string },
  place: { cwd: string; env: Readonly<Record<string, string | undefined>> },
): Promise<ZoneHome> {
  const { cwd, env } = place
  if (options.home) return openZoneHome(resolve(cwd, options.home))
  if (env.COUNTERSIGN_VAULT && env.COUNTERSIGN_STATE) return homeFromEnvironment(env)
  if (options.zone && !(ZONES as readonly string[]).includes(options.zone))
    throw new CountersignError('ERR_USAGE', `--zone ${options.zone}: a zone is ${ZONES.join(' or ')}`)
  const candidates = (options.zone ? [options.zone] : ZONES).map((zone) => join(cwd, 'zones', zone))
  const present = candidates.filter((candidate) => existsSync(candidate))
  if (present.length > 1)
    throw new CountersignError('ERR_USAGE', `both ${present.join(' and ')} exist: say --zone or --home`)
  return openZoneHome(present[0] ?? (candidates[0] as string))
}

/** The environment of one of the zone's processes on this machine: the settings, then where its folders stand. */
export function environmentOf(home: ZoneHome): Record<string, string> {
  const secrets = Object.entries(secretSettings(home.zone))
    .map(([setting, file]) => [setting, join(home.secrets, file)] as const)
    .filter(([, file]) => existsSync(file))
  const hubHere = join(home.hub, 'vault.git')
  const mailboxes = join(home.mailboxes, 'mailboxes.json')
  return {
    ...(existsSync(hubHere) ? { COUNTERSIGN_HUB_URL: hubHere } : {}),
    ...Object.fromEntries(secrets),
    ...(home.zone === 'cloud' && existsSync(mailboxes) ? { COUNTERSIGN_MAILBOXES_FILE: mailboxes } : {}),
    ...(existsSync(home.skills) ? { COUNTERSIGN_SKILLS_OWN: home.skills } : {}),
    ...(home.zone === 'local' && existsSync(home.social) ? { COUNTERSIGN_SOCIAL_SECRETS: home.social } : {}),
    ...(home.zone === 'local' && existsSync(home.banks) ? { COUNTERSIGN_BANKS: home.banks } : {}),
    COUNTERSIGN_ZONE: home.zone,
    COUNTERSIGN_AGENT: home.agent,
    COUNTERSIGN_VAULT: home.vault,
    COUNTERSIGN_STATE: home.state,
    COUNTERSIGN_KEYS: home.keys,
    COUNTERSIGN_TRUST: home.trust,
    ...home.settings,
  }
}

/** In a container the settings are the environment, and the folders are mounted wherever it says. */
function homeFromEnvironment(env: Readonly<Record<string, string | undefined>>): ZoneHome {
  const settings = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('COUNTERSIGN_') && value),
  ) as Record<string, string>
  const zone: Zone = settings.COUNTERSIGN_ZONE === 'local' ? 'local' : 'cloud'
  const layout = homeLayout('/', zone, settings)
  return {
    ...layout,
    vault: settings.COUNTERSIGN_VAULT ?? layout.vault,
    state: settings.COUNTERSIGN_STATE ?? layout.state,
    keys: settings.COUNTERSIGN_KEYS ?? layout.keys,
    trust: settings.COUNTERSIGN_TRUST ?? layout.trust,
  }
}

function parseSettings(text: string): Record<string, string> {
  const entries = Object.entries(parseEnv(text)).filter(([, value]) => value !== undefined && value !== '')
  return Object.fromEntries(entries) as Record<string, string>
}
