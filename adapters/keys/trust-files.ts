import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { type AgentIdentity, parseTrust, renderAllowedSigners, renderTrust } from '#core/trust.ts'

/** The agents of `<trustDir>/agents.json`; none when the file is absent. Throws ERR_CONFIG_INVALID. */
export async function readAgents(trustDir: string): Promise<AgentIdentity[]> {
  const path = join(trustDir, 'agents.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new CountersignError('ERR_CONFIG_INVALID', `reading ${path}: ${(cause as Error).message}`, { cause })
  }
  return parseTrust(text)
}

/**
 * Adds an agent to `<trustDir>/agents.json` and writes `allowed_signers` to match. Adding the same one again changes
 * nothing. Throws ERR_CONFIG_INVALID when that name is known with other keys: whoever replaces an agent's keys removes
 * the old entry by hand, so that a pairing document alone never can.
 */
export async function addAgent(trustDir: string, identity: AgentIdentity): Promise<'added' | 'known'> {
  const agents = await readAgents(trustDir)
  const known = agents.find((one) => one.name === identity.name)
  if (known && renderTrust([known]) !== renderTrust([identity]))
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `agent ${identity.name} is already trusted with other keys in ${join(trustDir, 'agents.json')}`,
    )
  const next = known ? agents : [...agents, identity]
  await writeWhole(join(trustDir, 'agents.json'), renderTrust(next))
  await writeWhole(join(trustDir, 'allowed_signers'), renderAllowedSigners(next))
  return known ? 'known' : 'added'
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
