import { createHash } from 'node:crypto'
import { z } from 'zod'
import { CountersignError } from './errors.ts'
import type { Oid } from './ports/repo.ts'
import { parseVaultPath } from './vault-path.ts'
import { ZONES } from './zone-policy.ts'

/** An OpenSSH Ed25519 public key without its comment: type and 68 base64 characters. */
const sshKey = z
  .string()
  .regex(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}$/, 'not an ssh-ed25519 public key')
/** An Ed25519 public key as base64 of its 44 SPKI DER bytes. */
const spki = z.string().regex(/^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/, 'not an Ed25519 public key (SPKI, base64)')

/** Also a folder of the vault (`In_Progress/<agent>/`), so none that Windows keeps for a device. */
const agentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'not an agent name')
  .refine((name) => parseVaultPath(`Logs/${name}/2026-01-01.jsonl`).ok, 'not an agent name')

const identitySchema = z
  .strictObject({
    name: agentName,
    zone: z.enum(ZONES),
    /** Signs this agent's commits. */
    signing: sshKey,
    /** Opens the hub over ssh; never signs. */
    deploy: sshKey,
    /** Signs this agent's ledger checkpoints. */
    ledger: spki,
    /** Countersigns actions: the local zone alone has one. */
    countersign: spki.nullable(),
  })
  .refine((one) => (one.zone === 'cloud') === (one.countersign === null), {
    message: 'a local agent has a countersigning key and a cloud agent has none',
    path: ['countersign'],
  })

/** What the zones know of each other: public keys only. Also the pairing document that `init` prints. */
export type AgentIdentity = Readonly<z.output<typeof identitySchema>>

const revokedSchema = z.strictObject({
  name: agentName,
  zone: z.enum(ZONES),
  signing: sshKey,
  /** What its checkpoints in the ledgers were signed with. */
  ledger: spki,
  /** What its receipts were signed with, if it made any. */
  countersign: spki.optional(),
  /** The last commit up to which the key's signatures count; null: none of them does. */
  after: z
    .string()
    .regex(/^[0-9a-f]{40}$/, 'not a commit id')
    .transform((oid) => oid as Oid)
    .nullable(),
})

/** A signing key that counts no more, but for the history that had been verified by then. */
export type RevokedKey = Readonly<z.output<typeof revokedSchema>>

const retiredSchema = z.strictObject({
  name: agentName,
  countersign: spki,
  at: z.iso.datetime({ precision: 3 }),
})

/** A countersigning key that another took the place of: only what it signed up to `at` counts. */
export type RetiredKey = Readonly<z.output<typeof retiredSchema>>

/** What `trust/agents.json` says: who is believed, and which keys are no longer. */
export interface Trust {
  readonly agents: readonly AgentIdentity[]
  readonly revoked: readonly RevokedKey[]
  readonly retired?: readonly RetiredKey[] | undefined
}

const trustSchema = z
  .strictObject({
    agents: z.array(identitySchema).max(20),
    revoked: z.array(revokedSchema).max(100).default([]),
    retired: z.array(retiredSchema).max(100).optional(),
  })
  .superRefine(({ agents, revoked, retired = [] }, context) => {
    for (const field of ['name', 'signing', 'deploy', 'ledger'] as const) {
      const repeated = repeatedIn(agents.map((one) => one[field]))
      if (repeated !== undefined) context.addIssue(`two agents share one ${field}: ${repeated}`)
    }
    const signing = new Set(agents.map((one) => one.signing))
    if (agents.some((one) => signing.has(one.deploy))) context.addIssue('a deploy key is also a signing key')
    const old = revoked.map((one) => one.signing)
    const repeated = repeatedIn(old)
    if (repeated !== undefined) context.addIssue(`a key is revoked twice: ${repeated}`)
    if (agents.some((one) => old.includes(one.signing) || old.includes(one.deploy)))
      context.addIssue('an agent has a revoked key')
    const outworn = retired.map((one) => one.countersign)
    const twice = repeatedIn(outworn)
    if (twice !== undefined) context.addIssue(`a key is retired twice: ${twice}`)
    if (agents.some((one) => one.countersign !== null && outworn.includes(one.countersign)))
      context.addIssue('an agent countersigns with a retired key')
  })

/** Reads a `trust/agents.json`. Strict: throws ERR_CONFIG_INVALID naming every fault. */
export function parseTrust(text: string): Trust {
  return parseJson(text, trustSchema, 'trust/agents.json')
}

/** A pairing document: one agent's identity as JSON. Throws ERR_CONFIG_INVALID naming every fault. */
export function parseIdentity(text: string): AgentIdentity {
  return parseJson(text, identitySchema, 'the pairing document')
}

/** The text of `trust/agents.json`, sorted by name. Throws as `parseTrust` when its parts contradict each other. */
export function renderTrust({ agents, revoked, retired = [] }: Trust): string {
  const sorted = agents.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const gone = { ...(revoked.length > 0 && { revoked }), ...(retired.length > 0 && { retired }) }
  const text = `${JSON.stringify({ agents: sorted, ...gone }, null, 2)}\n`
  parseTrust(text)
  return text
}

/** Whether two identities are the same in everything. */
export function sameAgent(one: AgentIdentity, other: AgentIdentity): boolean {
  return JSON.stringify(identitySchema.parse(one)) === JSON.stringify(identitySchema.parse(other))
}

/** The same trust without an agent: its signatures count up to the commit `after`, its deploy key opens nothing. */
export function withoutAgent(trust: Trust, name: string, after: Oid | null): Trust {
  const { agents, revoked } = trust
  const gone = agents.filter((one) => one.name === name)
  const keys = gone.map(({ zone, signing, ledger, countersign }) => ({
    ...{ name, zone, signing, ledger, after },
    ...(countersign !== null && { countersign }),
  }))
  return { ...trust, agents: agents.filter((one) => one.name !== name), revoked: [...revoked, ...keys] }
}

/** The same trust with other signing, deploy and ledger keys for an agent, the ones before revoked; its countersigning key stays. */
export function withOtherKeys(trust: Trust, identity: AgentIdentity, after: Oid | null): Trust {
  const known = trust.agents.find((one) => one.name === identity.name)
  if (!known) return trust
  const { name, zone, signing, ledger } = known
  const agents = trust.agents.map((one) => (one === known ? identity : one))
  return { ...trust, agents, revoked: [...trust.revoked, { name, zone, signing, ledger, after }] }
}

/** The same trust, in which what `keys` says is revoked: no agent has such a key, and a word about a key replaces an earlier one. */
export function withRevoked(trust: Trust, keys: readonly RevokedKey[]): Trust {
  const gone = new Set(keys.map(({ signing }) => signing))
  const others = trust.revoked.filter(({ signing }) => !gone.has(signing))
  return {
    ...trust,
    agents: trust.agents.filter(({ signing, deploy }) => !gone.has(signing) && !gone.has(deploy)),
    revoked: [...others, ...keys],
  }
}

/**
 * An older trust, in which what a newer one has withdrawn stays withdrawn: its revoked keys, and its retired countersigning
 * keys, in the place of which stand those that followed them. Whoever had a retired key and is not known in the newer one
 * is nobody.
 */
export function withWithdrawn(older: Trust, newer: Trust): Trust {
  const trust = withRevoked(older, newer.revoked)
  const retired = newer.retired ?? []
  const gone = new Set(retired.map(({ countersign }) => countersign))
  const followed = (one: AgentIdentity): AgentIdentity[] => {
    if (one.countersign === null || !gone.has(one.countersign)) return [one]
    const now = newer.agents.find(({ name }) => name === one.name)?.countersign
    return now == null ? [] : [{ ...one, countersign: now }]
  }
  const others = (trust.retired ?? []).filter(({ countersign }) => !gone.has(countersign))
  return {
    ...trust,
    agents: trust.agents.flatMap(followed),
    ...(retired.length > 0 && { retired: [...others, ...retired] }),
  }
}

/** The same trust with another countersigning key for an agent that has one; the key before it is retired. */
export function withCountersignKey(trust: Trust, name: string, countersign: string, at: string): Trust {
  const before = trust.agents.find((one) => one.name === name)?.countersign
  if (before == null || before === countersign) return trust
  const agents = trust.agents.map((one) => (one.name === name ? { ...one, countersign } : one))
  return { ...trust, agents, retired: [...(trust.retired ?? []), { name, countersign: before, at }] }
}

/** Whether two identities are the same but for the countersigning key, and `retired` says the known one was replaced. */
export function isRotated(known: AgentIdentity, given: AgentIdentity, retired: readonly RetiredKey[]): boolean {
  const isRetired = retired.some((one) => one.name === known.name && one.countersign === known.countersign)
  return isRetired && sameAgent({ ...known, countersign: given.countersign }, given)
}

/** `SHA256:…` of a public key, as git's `%GF` prints it. */
export function sshFingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/**
 * The hub's `authorized_keys`: each agent's deploy key runs `hubShell <agent> <repository>` and nothing else. Paths
 * must be absolute and free of quotes, backslashes and line ends; throws ERR_CONFIG_INVALID.
 */
export function renderAuthorizedKeys(
  agents: readonly AgentIdentity[],
  hub: { readonly shell: string; readonly repository: string },
): string {
  for (const path of [hub.shell, hub.repository]) {
    if (!/^\/[^'"\\\r\n]*$/.test(path))
      throw new CountersignError('ERR_CONFIG_INVALID', `not usable in authorized_keys: ${JSON.stringify(path)}`)
  }
  return agents
    .map((one) => `restrict,command="'${hub.shell}' ${one.name} '${hub.repository}'" ${one.deploy} ${one.name}\n`)
    .join('')
}

function repeatedIn(values: readonly string[]): string | undefined {
  return values.find((value, index) => values.indexOf(value) !== index)
}

function parseJson<T>(text: string, schema: z.ZodType<T>, what: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new CountersignError('ERR_CONFIG_INVALID', `${what} is no JSON`, { cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`)
  throw new CountersignError('ERR_CONFIG_INVALID', `${what} is not valid: ${faults.join('; ')}`)
}
