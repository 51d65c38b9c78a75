import { execFile } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CountersignError } from '#core/errors.ts'
import type { AgentIdentity } from '#core/trust.ts'
import type { Zone } from '#core/zone-policy.ts'
import { addAgent } from './trust-files.ts'

const run = promisify(execFile)

/**
 * Makes the keys of a zone home (`keys/`, 0700, each file 0600) and trusts its own agent in `trust/`. Keys that are
 * there are kept, never overwritten; an interrupted run is completed by the next.
 */
export async function createZoneKeys(
  home: string,
  zone: Zone,
  agent: string = zone,
  sshKeygen = 'ssh-keygen',
): Promise<AgentIdentity> {
  const dir = join(home, 'keys')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  await createSshKey(join(dir, 'signing'), `${agent} signing`, sshKeygen)
  await createSshKey(join(dir, 'deploy'), `${agent} deploy`, sshKeygen)
  await createEd25519(join(dir, 'ledger.pem'))
  if (zone === 'local') await createEd25519(join(dir, 'countersign.pem'))
  const identity = await publicIdentity(home, zone, agent)
  await addAgent(join(home, 'trust'), identity)
  return identity
}

/** The public keys of a zone home: what the other zone has to know, and the pairing document as JSON. */
export async function publicIdentity(home: string, zone: Zone, agent: string = zone): Promise<AgentIdentity> {
  const dir = join(home, 'keys')
  return {
    name: agent,
    zone,
    signing: await readSshPublicKey(join(dir, 'signing.pub')),
    deploy: await readSshPublicKey(join(dir, 'deploy.pub')),
    ledger: spkiBase64(await readPrivateKey(join(dir, 'ledger.pem'))),
    countersign: zone === 'local' ? spkiBase64(await readPrivateKey(join(dir, 'countersign.pem'))) : null,
  }
}

/** An Ed25519 private key from a PEM file. Throws ERR_CONFIG_INVALID without repeating its content. */
export async function readPrivateKey(path: string): Promise<KeyObject> {
  try {
    const key = createPrivateKey(await readFile(path, 'utf8'))
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw new CountersignError('ERR_CONFIG_INVALID', `reading the key ${path}: ${(cause as Error).message}`, { cause })
  }
  throw new CountersignError('ERR_CONFIG_INVALID', `the key ${path} is no Ed25519 key`)
}

/** An OpenSSH key pair `<path>` and `<path>.pub` without a passphrase; nothing when both are there. Returns the public key. */
export async function createSshKey(path: string, comment: string, sshKeygen = 'ssh-keygen'): Promise<string> {
  if ((await exists(path)) && !(await exists(`${path}.pub`))) await restorePublicKey(path, sshKeygen)
  if (!(await exists(path))) {
    // Made under another name and linked: a run that dies in the middle leaves no half key under the real one.
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
    try {
      await run(sshKeygen, ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', temporary])
      await link(temporary, path)
      await rm(`${path}.pub`, { force: true })
      await link(`${temporary}.pub`, `${path}.pub`)
    } catch (cause) {
      throw new CountersignError('ERR_CONFIG_INVALID', `making ${path}: ${(cause as Error).message}`, { cause })
    } finally {
      await Promise.all([temporary, `${temporary}.pub`].map((file) => rm(file, { force: true })))
    }
  }
  await chmod(path, 0o600)
  return readSshPublicKey(`${path}.pub`)
}

async function restorePublicKey(path: string, sshKeygen: string): Promise<void> {
  await chmod(path, 0o600)
  const { stdout } = await run(sshKeygen, ['-y', '-f', path])
  await writeFile(`${path}.pub`, stdout)
}

async function createEd25519(path: string): Promise<void> {
  if (!(await exists(path))) {
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    await writeFile(temporary, pem, { mode: 0o600, flush: true })
    await link(temporary, path).finally(() => rm(temporary, { force: true }))
  }
  await chmod(path, 0o600)
}

async function readSshPublicKey(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new CountersignError('ERR_CONFIG_INVALID', `reading the key ${path}: ${cause.message}`, { cause })
  })
  return text.trim().split(' ').slice(0, 2).join(' ')
}

function spkiBase64(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  )
}
