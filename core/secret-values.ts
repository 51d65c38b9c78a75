import { createPrivateKey, type KeyObject } from 'node:crypto'
import { parseOpenSshKey } from './openssh-key.ts'
import type { KnownSecret } from './secret-forms.ts'

/** Of a long key so much is enough to know it by. */
const KEY_BYTES = 64
const MAX_NAME_CHARS = 25

/**
 * What of a file that holds a secret has to be recognised: the private half of a key rather than its wrapping, which is
 * the same in every such file; the values of a JSON document; else the text itself, and each line of several.
 */
export function secretsIn(fileName: string, content: Uint8Array): KnownSecret[] {
  const name = nameOf(fileName)
  const text = Buffer.from(content)
    .toString('utf8')
    .replace(/[\r\n]+$/, '')
  const known = (value: string | Uint8Array): KnownSecret =>
    typeof value === 'string'
      ? { name, bytes: Buffer.from(value), kind: 'text' }
      : { name, bytes: value, kind: 'bytes' }
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) return [known(keyMaterial(text))]
  const values = jsonValues(text)
  if (values?.length) return values.map(known)
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  return [...new Set(lines.length > 1 ? [text, ...lines] : lines)].map(known)
}

function nameOf(fileName: string): string {
  const plain = fileName.toLowerCase().replace(/[^a-z0-9.-]+/g, '-')
  return plain.replace(/^[^a-z0-9]+/, '').slice(0, MAX_NAME_CHARS) || 'secret'
}

/** The password in an address such as `https://me:password@host/`. */
export function passwordInUrl(url: string): string | undefined {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*?:([^/@\s]+)@/i.exec(url)?.[1]
  if (password === undefined) return undefined
  try {
    return decodeURIComponent(password)
  } catch {
    return password
  }
}

function keyMaterial(pem: string): Uint8Array | string {
  const key = privateKeyIn(pem)
  const jwk = key?.export({ format: 'jwk' })
  // An RSA key is known by one of its primes, any other by its private number.
  const secret = jwk?.p ?? jwk?.d
  if (secret !== undefined) return Buffer.from(secret, 'base64url').subarray(0, KEY_BYTES)
  // Encrypted, or of a kind that nobody here reads: a stretch from the middle of its text.
  const body = pem.replace(/-----[^-]*-----|\s/g, '')
  const middle = Math.max(0, (body.length >> 1) - KEY_BYTES / 2)
  return body.slice(middle, middle + KEY_BYTES)
}

function privateKeyIn(pem: string): KeyObject | undefined {
  const pair = parseOpenSshKey(`${pem}\n`)
  if (!('problem' in pair)) return pair.privateKey
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** Every text of a JSON document that is called a secret or looks chosen by a machine; undefined when it is no such document. */
function jsonValues(text: string): string[] | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined
  const found = new Set<string>()
  try {
    JSON.parse(text, (key, value: unknown) => {
      if (typeof value === 'string' && (isNamedSecret(key, value) || looksRandom(value))) found.add(value)
      return value
    })
  } catch {
    return undefined
  }
  return [...found]
}

/** An app password may be four words of small letters: what it is called tells. */
const isNamedSecret = (key: string, value: string): boolean =>
  /(token|secret|password|passphrase|key)$/i.test(key) && value.length >= 8 && !/:\/\//.test(value)

/** Of random texts of sixteen letters and digits six in a hundred have no digit; hardly one is of small letters alone. */
const looksRandom = (value: string): boolean =>
  value.length >= 16 && !/:\/\/|@/.test(value) && (/\d/.test(value) || /^(?=\S*[a-z])(?=\S*[A-Z])\S+$/.test(value))
