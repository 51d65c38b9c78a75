import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publicKeyFrom } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'
import {
  type AgentIdentity,
  isRotated,
  parseTrust,
  type RetiredKey,
  type RevokedKey,
  renderTrust,
  sameAgent,
  type Trust,
  withCountersignKey,
  withOtherKeys,
  withoutAgent,
  withWithdrawn,
} from '#core/trust.ts'
import { replaceFile } from './replace-file.ts'

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
 * Adds an agent to `<trustDir>/agents.json`, with the countersigning keys it had before. Adding the same one again
 * changes nothing but those. Throws ERR_CONFIG_INVALID when that name is known with other keys: whoever replaces an
 * agent's keys revokes it first, so that a pairing document alone never can; and when a key was revoked. A countersigning
 * key opens nothing here: it may follow one that `retired` names.
 */
export async function addAgent(
  trustDir: string,
  identity: AgentIdentity,
  retired: readonly RetiredKey[] = [],
): Promise<'added' | 'known'> {
  const trust = await readTrust(trustDir)
  const known = trust.agents.find((one) => one.name === identity.name)
  if (known && !sameAgent(known, identity) && !isRotated(known, identity, retired))
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `agent ${identity.name} is already trusted with other keys in ${join(trustDir, 'agents.json')}`,
    )
  const agents = [...trust.agents.filter((one) => one !== known), identity]
  const before = trust.retired ?? []
  const news = retired.filter(
    (key) => key.name === identity.name && before.every((one) => one.countersign !== key.countersign),
  )
  await writeTrust(trustDir, { ...trust, agents, retired: [...before, ...news] })
  return known ? 'known' : 'added'
}

/**
 * The public countersigning key of an agent, as it is trusted now: to verify with, where the private one is not needed.
 * Throws ERR_CONFIG_INVALID when none is known.
 */
export async function readCountersignKey(trustDir: string, agent: string): Promise<KeyObject> {
  const known = (await readAgents(trustDir)).find((one) => one.name === agent)?.countersign
  if (known != null) return publicKeyFrom(known)
  const path = join(trustDir, 'agents.json')
  throw new CountersignError('ERR_CONFIG_INVALID', `looking for the countersigning key of ${agent}: not in ${path}`)
}

/** Believes another countersigning key of an agent from now on, and the one before it up to `at` (ISO time). */
export async function rotateCountersignKey(
  trustDir: string,
  name: string,
  countersign: string,
  at: string,
): Promise<void> {
  await writeTrust(trustDir, withCountersignKey(await readTrust(trustDir), name, countersign, at))
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

/** Gives an agent other keys in one step, and believes those before them up to `after` (see `withOtherKeys`). */
export async function renewAgent(trustDir: string, identity: AgentIdentity, after: Oid | null): Promise<void> {
  await writeTrust(trustDir, withOtherKeys(await readTrust(trustDir), identity, after))
}

/** Takes over what the other zone has revoked; its word about a key replaces an earlier one. */
export async function addRevoked(trustDir: string, keys: readonly RevokedKey[]): Promise<void> {
  const trust = await readTrust(trustDir)
  const others = trust.revoked.filter((one) => keys.every((key) => key.signing !== one.signing))
  await writeTrust(trustDir, { ...trust, revoked: [...others, ...keys] })
}

/**
 * Has what is revoked or retired in one folder stay so in another, older one. What cannot be read there withdraws nothing.
 * Gives the agents whose countersigning key became the one that followed it. Throws as `readTrust` for the older one.
 */
export async function keepWithdrawn(trustDir: string, olderDir: string): Promise<readonly string[]> {
  const newer = await readTrust(trustDir).catch(() => NOBODY)
  if (newer.revoked.length === 0 && !newer.retired) return []
  const older = await readTrust(olderDir)
  const trust = withWithdrawn(older, newer)
  await writeTrust(olderDir, trust)
  const keyOf = (name: string) => older.agents.find((one) => one.name === name)?.countersign
  return trust.agents.flatMap(({ name, countersign }) => (keyOf(name) === countersign ? [] : [name]))
}

/** Throws ERR_CONFIG_INVALID for a countersigning key that another took the place of: nothing is signed with it any more. */
export async function refuseRetired(trustDir: string, key: KeyObject): Promise<void> {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
  const retired = (await readTrust(trustDir)).retired?.find(({ countersign }) => countersign === spki)
  if (retired)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `countersigning with a key that was retired on ${retired.at}: put the newer file back, or run \`countersign rotate countersign-key --lost\``,
    )
}

async function writeTrust(trustDir: string, trust: Trust): Promise<void> {
  await replaceFile(join(trustDir, 'agents.json'), renderTrust(trust), 0o644)
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
  await replaceFile(path, [...others, `${name} ${key}`, ''].join('\n'), 0o644)
}
