import { readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { baseName, type Credential, foreignFault, foreignTo, modeFault } from '#core/credentials.ts'
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
  return [...foreignCredentials(env, mounted), ...openSecrets(env)]
}

function foreignCredentials(env: Env, mounted: string): string[] {
  const zone = env.COUNTERSIGN_ZONE
  if (zone !== 'cloud' && zone !== 'local') return []
  const faults = foreignTo(zone).flatMap((credential) =>
    placesOf(credential, env, mounted)
      .filter(holdsSomething)
      .map((place) => foreignFault(zone, place, credential)),
  )
  return [...new Set(faults)]
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
