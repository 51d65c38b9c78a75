import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { CountersignError } from '#core/errors.ts'
import { type AgentIdentity, parseIdentity, parseTrust, type RetiredKey, type RevokedKey } from '#core/trust.ts'
import type { ZoneHome } from '../zone-home.ts'
import { documentIn, isPairingCode } from './pairing-code.ts'

const documentSchema = z.strictObject({
  schema: z.literal('countersign-pairing/1'),
  agent: z.unknown(),
  /** Only in the cloud's document: where the hub is, and how to know it. */
  hub: z.strictObject({ url: z.string().max(500), host_key: z.string().max(200) }).optional(),
  /** Only in local's document: keys that count no more. */
  revoked: z.array(z.unknown()).max(100).optional(),
  /** Only in local's document: countersigning keys it had before. */
  retired: z.array(z.unknown()).max(100).optional(),
})

/** What one zone hands to the other, carried by the person: public keys, and from the cloud the hub's address. */
export type Pairing = {
  readonly agent: AgentIdentity
  readonly hub?: { readonly url: string; readonly host_key: string } | undefined
  readonly revoked?: readonly RevokedKey[] | undefined
  readonly retired?: readonly RetiredKey[] | undefined
}

export function renderPairing(pairing: Pairing): string {
  return `${JSON.stringify({ schema: 'countersign-pairing/1', ...pairing }, null, 2)}\n`
}

/** Reads a pairing file, the code of one, or a file with the code in it, strictly. Throws ERR_CONFIG_INVALID. */
export async function readPairing(given: string): Promise<Pairing> {
  if (isPairingCode(given)) return parsePairing('the pairing code', documentIn(given))
  const text = await readFile(given, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const said =
      cause.code === 'ENOENT'
        ? `--pair: there is no file ${given} here, and it is no pairing code, which begins with cs1-`
        : `reading the pairing file ${given}: ${cause.code}`
    throw new CountersignError('ERR_CONFIG_INVALID', said, { cause })
  })
  return isPairingCode(text)
    ? parsePairing(`the pairing code in ${given}`, documentIn(text))
    : parsePairing(`the file ${given}`, text)
}

function parsePairing(what: string, text: string): Pairing {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new CountersignError('ERR_CONFIG_INVALID', `${what} is no pairing file: it is no JSON`, { cause })
  }
  const document = documentSchema.safeParse(value)
  if (!document.success)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `${what} is no pairing file: it was made by something else than init`,
    )
  const { agent, hub, revoked, retired } = document.data
  return {
    agent: parseIdentity(JSON.stringify(agent)),
    hub,
    ...(revoked && { revoked: parseTrust(JSON.stringify({ agents: [], revoked })).revoked }),
    ...(retired && { retired: parseTrust(JSON.stringify({ agents: [], retired })).retired }),
  }
}

/** Where a zone's document stands in its home. */
export function pairingFileOf(home: ZoneHome): string {
  return join(home.root, `pairing-${home.zone}.json`)
}

/** Writes it with what this home knows of its own keys, and of those that count no more. */
export async function writePairing(home: ZoneHome, agent: AgentIdentity, hub?: Pairing['hub']): Promise<string> {
  const file = pairingFileOf(home)
  const { revoked, retired = [] } = await readTrust(home.trust)
  const own = retired.filter((one) => one.name === agent.name)
  const more = home.zone === 'local' && {
    ...(revoked.length > 0 && { revoked }),
    ...(own.length > 0 && { retired: own }),
  }
  await writeFile(file, renderPairing({ agent, ...(hub && { hub }), ...more }))
  return file
}

/** Host and port of a hub over ssh; undefined for a path on this machine. */
export function sshHost(url: string): { readonly host: string; readonly port: number } | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'ssh:') return { host: parsed.hostname, port: Number(parsed.port || 22) }
  const host = /^[\w.-]+@([^:/]+):/.exec(url)?.[1]
  return host ? { host, port: 22 } : undefined
}
