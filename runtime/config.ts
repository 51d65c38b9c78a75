import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { CountersignError, ERROR_CODES } from '#core/errors.ts'
import { noteBoot } from './boots.ts'
import { contradictions } from './config-rules.ts'
import { credentialFaults } from './credential-rules.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** One setting: the environment variable it stands in and how its text becomes a value. */
export interface Setting<T> {
  readonly name: string
  /** The variable that is asked when the first one is absent. */
  readonly fallback?: string
  /** Asked for only when each variable has that value (`standard` is its value when it is absent); else it may be missing. */
  readonly when?: readonly { readonly name: string; readonly value: string; readonly standard?: string }[]
  readonly schema: z.ZodType<T, string | undefined>
}

/** A service's configuration: field → setting. Spread `zoneSettings` (runtime/settings.ts) into it first. */
export type ConfigShape = Readonly<Record<string, Setting<unknown>>>
export type ConfigOf<S extends ConfigShape> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never
}

/** A secret that stands in a file. It is never printed and read again at each use, so that it may be rotated. */
export class SecretFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** The file's text without the line end. Throws ERR_CONFIG_INVALID when it is missing, unreadable or empty. */
  read(): string {
    let text: string
    try {
      text = readFileSync(this.path, 'utf8').replace(/[\r\n]+$/, '')
    } catch (error) {
      const found = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
      throw new CountersignError('ERR_CONFIG_INVALID', `cannot read the secret file ${this.path}: ${found}`)
    }
    if (text === '') throw new CountersignError('ERR_CONFIG_INVALID', `the secret file ${this.path} is empty`)
    return text
  }

  toJSON(): string {
    return `(secret in ${this.path})`
  }

  toString(): string {
    return this.toJSON()
  }
}

export type ConfigVerdict<S extends ConfigShape> =
  | { readonly ok: true; readonly config: ConfigOf<S> }
  | { readonly ok: false; readonly faults: readonly string[] }

/**
 * Reads every setting of the shape from `env` into a frozen object. Reports all faults together, contradictions
 * between settings included; an empty variable counts as absent, as `${X:-}` in a compose file means it.
 */
export function parseConfig<S extends ConfigShape>(shape: S, env: Env): ConfigVerdict<S> {
  const faults: string[] = []
  const config: Record<string, unknown> = {}
  for (const [field, setting] of Object.entries(shape)) {
    const raw = env[setting.name] || (setting.fallback && env[setting.fallback]) || undefined
    // The variable it falls back to is a setting too, and reported itself.
    if (raw === undefined && (setting.fallback || !isAskedFor(setting, env))) continue
    const parsed = setting.schema.safeParse(raw)
    if (parsed.success) config[field] = parsed.data
    else faults.push(faultOf(setting.name, raw, parsed.error.issues))
    if (parsed.data instanceof SecretFile) faults.push(...secretFaults(setting.name, parsed.data))
  }
  faults.push(...contradictions(env))
  return faults.length === 0
    ? { ok: true, config: Object.freeze(config) as ConfigOf<S> }
    : { ok: false, faults: [...new Set(faults)].sort() }
}

function isAskedFor({ when }: Setting<unknown>, env: Env): boolean {
  return (when ?? []).every(({ name, value, standard }) => (env[name] || standard) === value)
}

/** The faults of the values that `env` has, one line each. What is missing is none here; see `parseConfig` for the rest. */
export function faultsOfGiven(shape: ConfigShape, env: Env): string[] {
  return Object.values(shape).flatMap(({ name, schema }) => {
    const raw = env[name] || undefined
    const parsed = raw === undefined ? undefined : schema.safeParse(raw)
    return parsed?.success === false ? [faultOf(name, raw, parsed.error.issues)] : []
  })
}

function faultOf(name: string, raw: string | undefined, issues: readonly z.core.$ZodIssue[]): string {
  const expected = issues.map((issue) => issue.message).join('; ')
  if (raw === undefined) return `${name}: missing; ${expected}`
  // A mistyped secret or a URL with a password must not end up in a log.
  const found = /PASSWORD|PASSPHRASE|SECRET|TOKEN|KEY|URL/.test(name)
    ? ''
    : `, got ${JSON.stringify(raw.slice(0, 100))}`
  return `${name}: ${expected}${found}`
}

function secretFaults(name: string, secret: SecretFile): string[] {
  try {
    secret.read()
    return []
  } catch (error) {
    return [`${name}: ${(error as Error).message}`]
  }
}

/** One `NAME=value` line per setting, secrets and passwords in URLs left out. */
export function describeConfig<S extends ConfigShape>(shape: S, config: ConfigOf<S>): string[] {
  return Object.entries(shape).map(([field, setting]) => {
    const value = config[field]
    return `${setting.name}=${value === undefined ? '' : String(value).replace(/(:\/\/[^/@\s]*?):[^/@\s]*@/, '$1:***@')}`
  })
}

/** What `loadConfig` uses of the process; tests pass their own. */
export interface ConfigHost {
  readonly env: Env
  readonly argv: readonly string[]
  readonly print: (stream: 'stdout' | 'stderr', line: string) => void
  readonly exit: (code: number) => never
}

const thisProcess: ConfigHost = {
  env: process.env,
  argv: process.argv,
  print: (stream, line) => void process[stream].write(`${line}\n`),
  exit: (code) => process.exit(code),
}

/**
 * The configuration of this process, or the end of it: exit 2 after one line per fault, exit 0 after printing the
 * effective configuration when started with `--check-config`.
 */
export function loadConfig<S extends ConfigShape>(
  service: string,
  shape: S,
  host: ConfigHost = thisProcess,
): ConfigOf<S> {
  const verdict = parseConfig(shape, host.env)
  if (!verdict.ok) return refuse(service, verdict.faults, 'wrong setting(s)', host)
  if (host.argv.includes('--check-config')) {
    for (const line of describeConfig(shape, verdict.config)) host.print('stdout', line)
    return host.exit(0)
  }
  return verdict.config
}

function refuse(service: string, faults: readonly string[], what: string, host: ConfigHost): never {
  host.print('stderr', `${service} cannot start: ERR_CONFIG_INVALID, ${faults.length} ${what}`)
  for (const fault of faults) host.print('stderr', `  ${fault}`)
  host.print('stderr', ERROR_CODES.ERR_CONFIG_INVALID.hint)
  return host.exit(2)
}

/**
 * As `loadConfig`, for a service: its start is counted first, whatever comes of it (`runtime/boots.ts`), and it refuses
 * credentials of the other zone and secrets that others can open.
 */
export function loadServiceConfig<S extends ConfigShape>(
  service: string,
  shape: S,
  host: ConfigHost = thisProcess,
): ConfigOf<S> {
  const { COUNTERSIGN_STATE: state } = host.env
  if (state && !host.argv.includes('--check-config')) noteBoot(resolve(state), service, Date.now())
  const config = loadConfig(service, shape, host)
  const faults = credentialFaults(host.env)
  return faults.length === 0 ? config : refuse(service, faults, 'wrong credential(s)', host)
}

/** Which settings this process was given, by name alone. */
export function settingNames(env: Env = process.env): string[] {
  return Object.keys(env).filter((name) => name.startsWith('COUNTERSIGN_') && env[name])
}
