import { createPublicKey } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { baseName, type Credential, credentialNamed, foreignFault, foreignTo, modeFault } from '#core/credentials.ts'
import { parseOpenSshKey, sshPublicKey } from '#core/openssh-key.ts'
import { parseTrust } from '#core/trust.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { Env } from './config.ts'

/** Where containers are given their secrets. */
const MOUNTED = '/run/secrets'
/** A certificate authority is named by a file as well, and is no secret. */
const SECRET_SETTING = /(?:PASSWORD|PASSPHRASE|TOKEN|SECRET|KEY|URL)_FILE$/

/**
 * What is wrong with the secrets and keys that this process can reach, one line each: files that others on this machine
 * can open, and credentials that belong to the other zone, whatever they are used for. `mounted`: tests pass their own.
 */
export function credentialFaults(env: Env, mounted = MOUNTED): string[] {
  const zone = env.COUNTERSIGN_ZONE
  const foreign = foreignCredentials(env, mounted).flatMap(({ file, credential }) =>
    zone === 'cloud' || zone === 'local' ? [foreignFault(zone, file, credential)] : [],
  )
  return [...new Set([...foreign, ...openSecrets(env)])]
}

/** Credentials of the other zone that this process can reach. */
export function foreignCredentials(env: Env, mounted = MOUNTED): { file: string; credential: Credential }[] {
  const zone = env.COUNTERSIGN_ZONE
  if (zone !== 'cloud' && zone !== 'local') return []
  const named = foreignTo(zone).flatMap((credential) =>
    placesOf(credential, env, mounted)
      .filter(holdsSomething)
      .map((file) => ({ file, credential })),
  )
  return [...named, ...keysOfTheOtherZone(zone, env)]
}

/** Both zones give their keys the same names: whose each is, its public half and `trust/agents.json` tell. */
function keysOfTheOtherZone(zone: Zone, env: Env): { file: string; credential: Credential }[] {
  const { COUNTERSIGN_HOME: home } = env
  const { COUNTERSIGN_KEYS: keys = home && join(home, 'keys') } = env
  const { COUNTERSIGN_TRUST: trust = home && join(home, 'trust') } = env
  if (!keys || !trust) return []
  const others = publicKeysOf(zone === 'cloud' ? 'local' : 'cloud', join(trust, 'agents.json'))
  return ['signing', 'deploy', 'ledger.pem'].flatMap((name) => {
    const [file, credential] = [join(keys, name), credentialNamed(name)]
    const own = publicHalf(file)
    return own && credential && others.includes(own) ? [{ file, credential }] : []
  })
}

/** What cannot be read here is told by whoever needs it. */
function publicKeysOf(zone: string, file: string): string[] {
  try {
    const { agents, revoked } = parseTrust(readFileSync(file, 'utf8'))
    return [
      ...agents.flatMap((one) => (one.zone === zone ? [one.signing, one.deploy, one.ledger] : [])),
      ...revoked.flatMap((one) => (one.zone === zone ? [one.signing, one.ledger] : [])),
    ]
  } catch {
    return []
  }
}

/** As `trust/agents.json` writes it; undefined: that is no key. */
function publicHalf(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    const pair = parseOpenSshKey(text)
    if (!('problem' in pair)) return sshPublicKey(pair)
    return createPublicKey(text).export({ type: 'spki', format: 'der' }).toString('base64')
  } catch {
    return undefined
  }
}

/** Every place where this process would see the credential, if it had it. */
function placesOf({ file }: Credential, env: Env, mounted: string): string[] {
  const { COUNTERSIGN_HOME: home, COUNTERSIGN_STATE: state, COUNTERSIGN_KEYS: keys } = env
  const name = baseName(file)
  const below = [...(home ? [home] : []), ...(state ? [dirname(resolve(state))] : [])].map((root) => join(root, file))
  if (file.startsWith('keys/')) return [...below, ...(keys ? [join(keys, name)] : [])]
  if (!file.startsWith('secrets/')) return below
  return [...below, join(mounted, name), ...secretFilesOf(env).map((given) => join(dirname(resolve(given)), name))]
}

/** Files that a setting names, the keys and what social accounts post with: mode 0600 or 0640. What is no plain file (`/dev/null`) holds no secret. */
function openSecrets(env: Env): string[] {
  const folders = [env.COUNTERSIGN_KEYS, env.COUNTERSIGN_SOCIAL_SECRETS].flatMap((folder) => folder || [])
  const inFolders = folders.flatMap((folder) =>
    namesIn(folder)
      .filter((name) => !/^\.|\.pub$|\.tmp$/.test(name))
      .map((name) => join(folder, name)),
  )
  const files = [...secretFilesOf(env), ...inFolders]
  return [...new Set(files.map((file) => resolve(file)))].flatMap((file) => {
    const found = statSync(file, { throwIfNoEntry: false })
    const fault = found?.isFile() && found.size > 0 ? modeFault(found.mode) : undefined
    return fault ? [`${file} ${fault}`] : []
  })
}

function secretFilesOf(env: Env): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value && name.startsWith('COUNTERSIGN_') && SECRET_SETTING.test(name) ? [value] : [],
  )
}

/** An empty file or folder is none: containers are given one where there is nothing. */
function holdsSomething(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return namesIn(path).length > 0
  return found !== undefined && found.size > 0
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // Not there, or not for this process to see.
  }
}
