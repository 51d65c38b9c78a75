import { createHash, sign, verify } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { CountersignError } from '#core/errors.ts'
import { parseOpenSshKey, readPublicBlob, type SshKeyPair, sshPublicKey } from '#core/openssh-key.ts'
import { readSshArmor, readSshStrings, sshArmor, sshString } from '#core/ssh-format.ts'
import { sshFingerprint } from '#core/trust.ts'

export type RawSignature =
  /** Valid; whose key it is, is not known here. */
  { readonly state: 'good'; readonly fingerprint: string } | { readonly state: 'unsigned' } | { readonly state: 'bad' }

const LABEL = 'SSH SIGNATURE'
const TYPE = 'ssh-ed25519'
const MAGIC = Buffer.from('SSHSIG')
/** With the version of the format. */
const START = Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 1])])
/** Namespace, reserved, hash: the same in the signature and in what is signed, and never anything else. */
const TERMS = Buffer.concat([sshString('git'), sshString(''), sshString('sha512')])
const SIGNATURE_BYTES = 64

/**
 * The header of a commit as git writes ours, and nothing besides: no second tree, author or signature, no tag that was
 * merged, no encoding. The signature comes last, so that one commit has one name.
 */
const HEADER =
  /^(tree [0-9a-f]{40}\n(?:parent [0-9a-f]{40}\n)*author [^\n]*\ncommitter [^\n]*\n)(?:gpgsig ([^\n]*\n(?: [^\n]*\n)*))?\n$/

/** The private key that signs commits. Throws ERR_CONFIG_INVALID without repeating its content. */
export async function readSigningKey(file: string): Promise<SshKeyPair> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CountersignError('ERR_CONFIG_INVALID', `reading the key ${file}: ${cause.code}`, { cause })
  })
  const key = parseOpenSshKey(text)
  if ('problem' in key)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `the key ${file} ${key.problem}; needed is an OpenSSH Ed25519 key without a passphrase`,
    )
  return key
}

/** The signature of a commit's bytes, in the form of `ssh-keygen -Y sign -n git`. */
export function signCommit(payload: Uint8Array, { privateKey, publicBlob }: SshKeyPair): string {
  return sshArmor(LABEL, signatureBlob(publicBlob, sign(null, signedBytes(payload), privateKey)))
}

/** The commit with its signature in the header, as git stores it. */
export function withSignature(payload: Uint8Array, signature: string): Buffer {
  const bytes = Buffer.from(payload)
  const end = bytes.indexOf('\n\n') + 1
  const lines = `gpgsig ${signature.trimEnd().replaceAll('\n', '\n ')}\n`
  return Buffer.concat([bytes.subarray(0, end), Buffer.from(lines), bytes.subarray(end)])
}

/** Holds a commit object (without git's `commit <size>` prefix) against its own signature. Never throws. */
export function commitSignature(raw: Uint8Array): RawSignature {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  const end = bytes.indexOf('\n\n') + 2
  const [, headers, block] = HEADER.exec(bytes.toString('latin1', 0, end)) ?? []
  if (headers === undefined || bytes.includes(0)) return { state: 'bad' }
  if (block === undefined) return { state: 'unsigned' }
  const payload = Buffer.concat([Buffer.from(headers, 'latin1'), bytes.subarray(end - 1)])
  const publicBlob = signerOf(payload, block.replaceAll('\n ', '\n'))
  if (publicBlob === undefined) return { state: 'bad' }
  return { state: 'good', fingerprint: sshFingerprint(sshPublicKey({ publicBlob })) }
}

/** The public key whose valid signature over the payload this is; undefined when it is anything less. */
function signerOf(payload: Uint8Array, armored: string): Buffer | undefined {
  const bytes = readSshArmor(LABEL, armored) ?? Buffer.alloc(0)
  const publicBlob = readSshStrings(bytes.subarray(START.length), 1)?.fields[0] ?? Buffer.alloc(0)
  const signature = bytes.subarray(-SIGNATURE_BYTES)
  // Every length and every other field is fixed: put together anew, it must be the same.
  if (!signatureBlob(publicBlob, signature).equals(bytes)) return undefined
  const key = readPublicBlob(publicBlob)
  return key && verify(null, signedBytes(payload), key, signature) ? publicBlob : undefined
}

function signatureBlob(publicBlob: Uint8Array, signature: Uint8Array): Buffer {
  const typed = Buffer.concat([sshString(TYPE), sshString(signature)])
  return Buffer.concat([START, sshString(publicBlob), TERMS, sshString(typed)])
}

function signedBytes(payload: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, TERMS, sshString(createHash('sha512').update(payload).digest())])
}
