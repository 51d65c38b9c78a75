import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { lstat, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { encryptKey, isEncrypted } from './encrypted-key.ts'
import { replaceFile } from './replace-file.ts'

/** The countersigning key as it stands in `keys/countersign.pem`. */
export interface CountersignFile {
  readonly path: string
  readonly pem: string
  readonly isLocked: boolean
}

/** Reads the file, not yet the key. Throws ERR_CONFIG_INVALID: missing, no plain file, somebody else's. */
export async function readCountersignFile(keysDir: string): Promise<CountersignFile> {
  const path = join(keysDir, 'countersign.pem')
  const failed = (found: string, cause?: unknown) =>
    new CountersignError('ERR_CONFIG_INVALID', `reading the countersigning key ${path}: ${found}`, { cause })
  const found = await lstat(path).catch((cause: NodeJS.ErrnoException) => {
    throw failed(cause.code === 'ENOENT' ? 'it is not there' : String(cause.code), cause)
  })
  if (!found.isFile()) throw failed('no plain file')
  const pem = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw failed(String(cause.code), cause)
  })
  return { path, pem, isLocked: isEncrypted(pem) }
}

/**
 * An Ed25519 private key out of the text of a PEM file. Throws without repeating any of it: ERR_KEY_LOCKED when it needs
 * a passphrase and this is not it, ERR_CONFIG_INVALID when it is no such key.
 */
export function parsePrivateKey(path: string, pem: string, passphrase?: string): KeyObject {
  const isLocked = isEncrypted(pem)
  if (isLocked && passphrase === undefined)
    throw new CountersignError('ERR_KEY_LOCKED', `reading the key ${path}: it has a passphrase, and none was given`)
  try {
    const key = createPrivateKey(isLocked ? { key: pem, passphrase: passphrase ?? '' } : pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    if (isLocked)
      throw new CountersignError('ERR_KEY_LOCKED', `reading the key ${path}: the given passphrase does not open it`, {
        cause,
      })
    throw new CountersignError('ERR_CONFIG_INVALID', `reading the key ${path}: ${(cause as Error).message}`, { cause })
  }
  throw new CountersignError('ERR_CONFIG_INVALID', `the key ${path} is no Ed25519 key`)
}

/** The key as the text of a file: encrypted when there is a passphrase. What was written is read back before it counts. */
export async function renderPrivateKey(key: KeyObject, passphrase: string | undefined): Promise<string> {
  if (passphrase === undefined) return key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const pem = await encryptKey(key, passphrase)
  if (!parsePrivateKey('just encrypted', pem, passphrase).equals(key))
    throw new Error('an encrypted key does not read back')
  return pem
}

/** Takes the place of the key file in one step, readable for its owner alone; half-written ones of dead runs go. */
export async function writeCountersignFile(
  { path }: CountersignFile,
  key: KeyObject,
  passphrase?: string,
): Promise<void> {
  await replaceFile(path, await renderPrivateKey(key, passphrase), 0o600)
  const half = (await readdir(dirname(path))).filter((name) => /^countersign\.pem\.[0-9a-f]+\.tmp$/.test(name))
  for (const name of half) await rm(join(dirname(path), name), { force: true })
}

/** The public half as trust and pairing documents hold it: base64 of its SPKI. */
export function spkiOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
}
