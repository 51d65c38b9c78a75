import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readSshArmor, readSshStrings, sshArmor, sshString } from './ssh-format.ts'

/** An Ed25519 key pair as ssh and git use it. */
export interface SshKeyPair {
  readonly privateKey: KeyObject
  /** The public key in ssh's binary form, of which its fingerprint is made. */
  readonly publicBlob: Buffer
}

const TYPE = 'ssh-ed25519'
const LABEL = 'OPENSSH PRIVATE KEY'
const MAGIC = Buffer.from('openssh-key-v1\0')
const NO_PASSPHRASE = Buffer.concat([MAGIC, sshString('none'), sshString('none'), sshString('')])
const ONE_KEY = Buffer.from([0, 0, 0, 1])
const CHECK_BYTES = 8
const KEY_BYTES = 32
const BLOCK_BYTES = 8
/** What stands before the 32 bytes of a key in its DER forms. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** A private key with its public half in ssh's form. */
export function sshKeyPair(privateKey: KeyObject): SshKeyPair {
  const raw = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(SPKI.length)
  return { privateKey, publicBlob: publicBlobOf(raw) }
}

/** The line of a `.pub` file, without a comment. */
export function sshPublicKey({ publicBlob }: Pick<SshKeyPair, 'publicBlob'>): string {
  return `${TYPE} ${publicBlob.toString('base64')}`
}

/** The Ed25519 key in ssh's binary form; undefined when it is anything else. */
export function readPublicBlob(blob: Uint8Array): KeyObject | undefined {
  const raw = blob.subarray(-KEY_BYTES)
  if (raw.length !== KEY_BYTES || !publicBlobOf(raw).equals(blob)) return undefined
  return createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' })
}

/** The text of a private key file without a passphrase. `check` is any 4 bytes, which ssh expects to find twice. */
export function renderOpenSshKey(pair: SshKeyPair, comment: string | Uint8Array, check: Uint8Array): string {
  const { privateKey, publicBlob } = pair
  const seed = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(PKCS8.length)
  const raw = publicBlob.subarray(-KEY_BYTES)
  const secret = Buffer.concat([check, check, publicBlob, sshString(Buffer.concat([seed, raw])), sshString(comment)])
  const padding = Uint8Array.from({ length: -secret.length & (BLOCK_BYTES - 1) }, (_, index) => index + 1)
  const fields = [sshString(publicBlob), sshString(Buffer.concat([secret, padding]))]
  return sshArmor(LABEL, Buffer.concat([NO_PASSPHRASE, ONE_KEY, ...fields]))
}

/** Reads a private key file strictly, or says what it is instead; never repeats anything of it. */
export function parseOpenSshKey(text: string): SshKeyPair | { readonly problem: string } {
  const bytes = readSshArmor(LABEL, text)
  if (!bytes?.subarray(0, MAGIC.length).equals(MAGIC)) return { problem: 'is no OpenSSH private key' }
  if (!bytes.subarray(0, NO_PASSPHRASE.length).equals(NO_PASSPHRASE)) return { problem: 'has a passphrase' }
  const outer = readSshStrings(bytes.subarray(NO_PASSPHRASE.length + ONE_KEY.length), 2)
  const secret = outer?.fields[1] ?? Buffer.alloc(0)
  const [, , halves, comment] = readSshStrings(secret.subarray(CHECK_BYTES), 4)?.fields ?? []
  if (comment === undefined || halves?.length !== 2 * KEY_BYTES) return { problem: 'is no Ed25519 key' }
  const der = Buffer.concat([PKCS8, halves.subarray(0, KEY_BYTES)])
  const pair = sshKeyPair(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  // Written anew it must be the same file: then every length is right and its public halves are this key's.
  const isWhole = renderOpenSshKey(pair, comment, secret.subarray(0, CHECK_BYTES / 2)) === text
  return isWhole ? pair : { problem: 'is damaged' }
}

function publicBlobOf(raw: Uint8Array): Buffer {
  return Buffer.concat([sshString(TYPE), sshString(raw)])
}
