import { createCipheriv, type KeyObject, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

/** `openssl pkcs8` and node:crypto take 2,048 by themselves, which a graphics card tries in no time. */
const ITERATIONS = 600_000
const SALT_BYTES = 16
const OID_PBES2 = '2a864886f70d01050d'
const OID_PBKDF2 = '2a864886f70d01050c'
const OID_HMAC_SHA256 = '2a864886f70d0209'
const OID_AES_256_CBC = '60864801650304012a'

/**
 * A private key as encrypted PKCS#8 (RFC 5958, PBES2: PBKDF2-HMAC-SHA256 and AES-256-CBC) in PEM, which OpenSSL and
 * node:crypto read.
 */
export async function encryptKey(key: KeyObject, passphrase: string): Promise<string> {
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(16)]
  const secret = await promisify(pbkdf2)(passphrase, salt, ITERATIONS, 32, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', secret, iv)
  const plain = key.export({ type: 'pkcs8', format: 'der' })
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()])
  const hmac = sequence(oid(OID_HMAC_SHA256), der(0x05))
  const derivation = sequence(oid(OID_PBKDF2), sequence(octets(salt), whole(ITERATIONS), hmac))
  const encryption = sequence(oid(OID_AES_256_CBC), octets(iv))
  const scheme = sequence(oid(OID_PBES2), sequence(derivation, encryption))
  const body =
    sequence(scheme, octets(encrypted))
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN ENCRYPTED PRIVATE KEY-----', ...body, '-----END ENCRYPTED PRIVATE KEY-----', ''].join('\n')
}

/** Whether the text of a PEM file says that a passphrase is needed to read it. */
export function isEncrypted(pem: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(pem)
}

function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...contents: Uint8Array[]) => der(0x30, ...contents)
const octets = (content: Uint8Array) => der(0x04, content)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))

/** A positive INTEGER of three bytes, whose highest bit is clear: anything from 32,768 to 8,388,607. */
function whole(value: number): Buffer {
  return der(0x02, Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]))
}
