import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { parseOpenSshKey, renderOpenSshKey, sshKeyPair, sshPublicKey } from '#core/openssh-key.ts'
import type { AgentIdentity } from '#core/trust.ts'
import type { Zone } from '#core/zone-policy.ts'
import { parsePrivateKey, readCountersignFile, spkiOf } from './countersign-key.ts'
import { addAgent, readAgents } from './trust-files.ts'

/**
 * Makes the keys of a zone home (`keys/`, 0700, each file 0600) and trusts its own agent in `trust/`. Keys that are
 * there are kept, never overwritten; an interrupted run is completed by the next.
 */
export async function createZoneKeys(home: string, zone: Zone, agent: string = zone): Promise<AgentIdentity> {
  const dir = join(home, 'keys')
  await createAgentKeys(dir, agent)
  if (zone === 'local') await createEd25519(join(dir, 'countersign.pem'))
  const identity = await publicIdentity(home, zone, agent)
  await addAgent(join(home, 'trust'), identity)
  return identity
}

/** Makes the three keys that every agent has, in a folder of their own (0700); keys that are there are kept. */
export async function createAgentKeys(dir: string, agent: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  await createSshKey(join(dir, 'signing'), `${agent} signing`)
  await createSshKey(join(dir, 'deploy'), `${agent} deploy`)
  await createEd25519(join(dir, 'ledger.pem'))
}

/** Their public halves. Throws ERR_CONFIG_INVALID. */
export async function publicKeysIn(dir: string): Promise<Pick<AgentIdentity, 'signing' | 'deploy' | 'ledger'>> {
  return {
    signing: await readSshPublicKey(join(dir, 'signing.pub')),
    deploy: await readSshPublicKey(join(dir, 'deploy.pub')),
    ledger: spkiOf(await readPrivateKey(join(dir, 'ledger.pem'))),
  }
}

/**
 * The public keys of a zone home: what the other zone has to know, and the pairing document as JSON. A countersigning key
 * that has a passphrase is known from `trust/`.
 */
export async function publicIdentity(home: string, zone: Zone, agent: string = zone): Promise<AgentIdentity> {
  return {
    ...{ name: agent, zone, ...(await publicKeysIn(join(home, 'keys'))) },
    countersign: zone === 'local' ? await publicCountersignKey(home, agent) : null,
  }
}

async function publicCountersignKey(home: string, agent: string): Promise<string> {
  const { path, pem, isLocked } = await readCountersignFile(join(home, 'keys'))
  const known = isLocked ? (await readAgents(join(home, 'trust'))).find((one) => one.name === agent) : undefined
  return known?.countersign ?? spkiOf(parsePrivateKey(path, pem))
}

/** An Ed25519 private key from a PEM file. Throws as `parsePrivateKey`, without repeating its content. */
export async function readPrivateKey(path: string, passphrase?: string): Promise<KeyObject> {
  const pem = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new CountersignError('ERR_CONFIG_INVALID', `reading the key ${path}: ${cause.message}`, { cause })
  })
  return parsePrivateKey(path, pem, passphrase)
}

/** An OpenSSH key pair `<path>` and `<path>.pub` without a passphrase; what is there is kept. Returns the public key. */
export async function createSshKey(path: string, comment: string): Promise<string> {
  if (!(await exists(path))) {
    await rm(`${path}.pub`, { force: true }) // of a private key that is gone
    const pair = sshKeyPair(generateKeyPairSync('ed25519').privateKey)
    await writeOnce(path, renderOpenSshKey(pair, comment, randomBytes(4)), 0o600)
  }
  await chmod(path, 0o600)
  if (!(await exists(`${path}.pub`))) await writeOnce(`${path}.pub`, `${await publicKeyOf(path)} ${comment}\n`, 0o644)
  return readSshPublicKey(`${path}.pub`)
}

async function publicKeyOf(path: string): Promise<string> {
  const pair = parseOpenSshKey(await readFile(path, 'utf8'))
  if ('problem' in pair) throw new CountersignError('ERR_CONFIG_INVALID', `the key ${path} ${pair.problem}`)
  return sshPublicKey(pair)
}

async function createEd25519(path: string): Promise<void> {
  if (!(await exists(path))) {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    await writeOnce(path, pem.toString(), 0o600)
  }
  await chmod(path, 0o600)
}

/** Under another name first, then linked: a run that dies in the middle leaves no half key under the real one. */
async function writeOnce(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  await writeFile(temporary, text, { mode, flush: true })
  await link(temporary, path).finally(() => rm(temporary, { force: true }))
}

async function readSshPublicKey(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new CountersignError('ERR_CONFIG_INVALID', `reading the key ${path}: ${cause.message}`, { cause })
  })
  return text.trim().split(' ').slice(0, 2).join(' ')
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  )
}
