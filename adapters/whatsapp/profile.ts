import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { isInside } from '#core/inside.ts'
import { VAULT_FOLDERS } from '#core/vault-path.ts'

/** Where the browser's profile stands below the service's folder: who has it, has the session. */
const PROFILES = 'browser'
/** As LocalAuth names it. */
const PROFILE = 'session'

export function profilesFolder(folder: string): string {
  return join(folder, PROFILES)
}

/**
 * Makes the service's folder (0700) and gives its real path. Throws ERR_WHATSAPP_PLACE when it lies in a vault, by whatever
 * links: what stands there is carried to the hub. `vault` where it is known; any other is known by its folders.
 */
export async function openFolder(folder: string, vault?: string): Promise<string> {
  await demandOutside(await realOf(folder), vault)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const real = await realpath(folder)
  await demandOutside(real, vault)
  // Each part of it may be a link of its own.
  for (const inner of [PROFILES, join(PROFILES, PROFILE), 'media'])
    await demandOutside(await realOf(join(real, inner)), vault)
  return real
}

/** A killed browser leaves its locks; that no other one has this profile is known by the service's own lock. */
export async function removeStaleLocks(folder: string): Promise<void> {
  for (const name of ['SingletonLock', 'SingletonCookie', 'SingletonSocket'])
    await rm(join(folder, PROFILES, PROFILE, name), { force: true })
}

/** The session is over: nothing of it stays. */
export async function removeProfile(folder: string): Promise<void> {
  await rm(join(folder, PROFILES), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

async function demandOutside(path: string, vault: string | undefined): Promise<void> {
  const root = vault === undefined ? undefined : await realOf(vault)
  if (root !== undefined && isInside(root, path)) throw misplaced(path, root)
  for (let at = path; ; at = dirname(at)) {
    if (await looksLikeVault(at)) throw misplaced(path, at)
    if (at === dirname(at)) return
  }
}

function misplaced(path: string, vault: string): CountersignError {
  return new CountersignError('ERR_WHATSAPP_PLACE', `the WhatsApp session would stand in the vault ${vault}: ${path}`)
}

async function looksLikeVault(folder: string): Promise<boolean> {
  const names = new Set(await readdir(folder).catch(() => []))
  return VAULT_FOLDERS.filter((name) => names.has(name)).length >= 3
}

/** The real path of what is not there yet: that of its nearest folder which is, and the rest. */
async function realOf(path: string): Promise<string> {
  const absolute = resolve(path)
  for (let at = absolute; ; at = dirname(at)) {
    const real = await realpath(at).catch(() => undefined)
    if (real !== undefined) return join(real, absolute.slice(at.length))
    if (at === dirname(at)) return absolute
  }
}
