import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'
import {
  type AgentIdentity,
  parseTrust,
  type RevokedKey,
  renderTrust,
  sameAgent,
  type Trust,
  withoutAgent,
} from '#core/trust.ts'

const NOBODY: Trust = { agents: [], revoked: [] }

/** What `<trustDir>/agents.json` says; nobody is trusted when the file is absent. Throws ERR_CONFIG_INVALID. */
export async function readTrust(trustDir: string): Promise<Trust> {
  const path = join(trustDir, 'agents.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return NOBODY
    throw new CountersignError('ERR_CONFIG_INVALID', `reading ${path}: ${(cause as Error).message}`, { cause })
  }
  return parseTrust(text)
}

/** The agents that are trusted now. Throws as `readTrust`. */
export async function readAgents(trustDir: string): Promise<readonly AgentIdentity[]> {
  return (await readTrust(trustDir)).agents
}

/**
 * Adds an agent to `<trustDir>/agents.json`. Adding the same one again changes nothing. Throws ERR_CONFIG_INVALID when that name is known with other keys: whoever replaces an agent's keys revokes
 * it first, so that a pairing document alone never can; and when a key was revoked.
 */
export async function addAgent(trustDir: string, identity: AgentIdentity): Promise<'added' | 'known'> {
  const trust = await readTrust(trustDir)
  const known = trust.agents.find((one) => one.name === identity.name)
  if (known && !sameAgent(known, identity))
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `agent ${identity.name} is already trusted with other keys in ${join(trustDir, 'agents.json')}`,
    )
  await writeTrust(trustDir, known ? trust : { ...trust, agents: [...trust.agents, identity] })
  return known ? 'known' : 'added'
}

/** Takes an agent out of the trusted ones (see `withoutAgent`). Throws ERR_CONFIG_INVALID when nobody has the name. */
export async function revokeAgent(trustDir: string, name: string, after: Oid | null): Promise<RevokedKey> {
  const trust = withoutAgent(await readTrust(trustDir), name, after)
  const key = trust.revoked.at(-1)
  if (key?.name !== name)
    throw new CountersignError('ERR_CONFIG_INVALID', `no agent ${name} is trusted in ${join(trustDir, 'agents.json')}`)
  await writeTrust(trustDir, trust)
  return key
}

/** Takes over what the other zone has revoked; its word about a key replaces an earlier one. */
export async function addRevoked(trustDir: string, keys: readonly RevokedKey[]): Promise<void> {
  const { agents, revoked } = await readTrust(trustDir)
  const others = revoked.filter((one) => keys.every((key) => key.signing !== one.signing))
  await writeTrust(trustDir, { agents, revoked: [...others, ...keys] })
}

async function writeTrust(trustDir: string, trust: Trust): Promise<void> {
  await writeWhole(join(trustDir, 'agents.json'), renderTrust(trust))
}

/** Believes one host key for a hub; an entry for the same host is replaced. `port` 22 is written without brackets. */
export async function trustHost(
  trustDir: string,
  hub: { readonly host: string; readonly port: number; readonly hostKey: string },
): Promise<void> {
  const name = hub.port === 22 ? hub.host : `[${hub.host}]:${hub.port}`
  const key = /^ssh-ed25519 [A-Za-z0-9+/=]+/.exec(hub.hostKey)?.[0]
  if (!key || !/^[\w.:[\]-]+$/.test(name))
    throw new CountersignError('ERR_CONFIG_INVALID', `not a host with an ssh-ed25519 key: ${name}`)
  const path = join(trustDir, 'known_hosts')
  const before = await readFile(path, 'utf8').catch(() => '')
  const others = before.split('\n').filter((line) => line !== '' && !line.startsWith(`${name} `))
  await writeWhole(path, [...others, `${name} ${key}`, ''].join('\n'))
}

/** A reader sees the old file or the new one, also after a power cut. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', 0o644)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
