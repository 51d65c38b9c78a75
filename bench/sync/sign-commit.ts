import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'

// A history of 10,000 commits is signed here, because 10,000 runs of ssh-keygen take minutes.

const PEM = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/
/** What stands before the 32 bytes of a raw Ed25519 key in its PKCS #8 form. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED_BYTES = 32

export interface CommitSigner {
  readonly agent: string
  /** The lines of git's `gpgsig` header for a commit's text. */
  signature(commitText: string): string
}

/** Signs as `agent` with an unencrypted OpenSSH Ed25519 key, in the format of `ssh-keygen -Y sign -n git`. */
export function commitSigner(agent: string, keyFile: string): CommitSigner {
  const { key, publicBlob } = readKey(keyFile)
  return {
    agent,
    signature(commitText) {
      const digest = createHash('sha512').update(commitText).digest()
      const [space, reserved, hash] = ['git', '', 'sha512'].map(field)
      const signed = Buffer.concat([Buffer.from('SSHSIG'), space, reserved, hash, field(digest)] as Buffer[])
      const signature = Buffer.concat([field('ssh-ed25519'), field(sign(null, signed, key))])
      const version = Buffer.from([0, 0, 0, 1])
      const parts = [Buffer.from('SSHSIG'), version, field(publicBlob), space, reserved, hash, field(signature)]
      const lines = Buffer.concat(parts as Buffer[])
        .toString('base64')
        .match(/.{1,70}/g) as string[]
      return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----'].join('\n ')
    },
  }
}

/** OpenSSH's private key file: a header, the public key, then a section that ends in seed and public key. */
function readKey(file: string): { key: KeyObject; publicBlob: Buffer } {
  const base64 = PEM.exec(readFileSync(file, 'utf8'))?.[1]
  if (!base64) throw new Error(`${file} is no OpenSSH private key`)
  const bytes = Buffer.from(base64, 'base64')
  const publicBlob = Buffer.from(readFileSync(`${file}.pub`, 'utf8').split(' ')[1] ?? '', 'base64')
  const raw = publicBlob.subarray(-SEED_BYTES)
  // The section repeats the public key behind the seed: the last place where it stands.
  const at = bytes.lastIndexOf(raw)
  const seed = bytes.subarray(at - SEED_BYTES, at)
  return { key: createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' }), publicBlob }
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
