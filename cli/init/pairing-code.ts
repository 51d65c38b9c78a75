import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { CountersignError } from '#core/errors.ts'

/** What every code begins with; the number is that of its form. */
const PREFIX = 'cs1-'
const CHECK_CHARS = 8
/** A pairing document, unpacked, bytes. */
const MAX_BYTES = 100_000

/**
 * A pairing document as one line that can be pasted: `cs1-<check>-<document>`, the document packed by deflate, in base64url,
 * and before it the beginning of its SHA-256, by which a code that lost something on its way is known.
 */
export function pairingCode(document: string): string {
  const packed = deflateRawSync(JSON.stringify(JSON.parse(document)), { level: 9 }).toString('base64url')
  return `${PREFIX}${checkOf(packed)}-${packed}`
}

export const isPairingCode = (text: string): boolean => text.trimStart().startsWith(PREFIX)

/** The document in a code; blanks and line ends that came in on its way are left out. Throws ERR_CONFIG_INVALID. */
export function documentIn(code: string): string {
  const bare = code.replace(/\s/g, '').slice(PREFIX.length)
  const [, check, packed] = /^([A-Za-z0-9_-]{8})-([A-Za-z0-9_-]+)$/.exec(bare) ?? []
  if (packed === undefined || checkOf(packed) !== check)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      'the pairing code is not whole: copy it again, from cs1- to its end, where init showed it, or carry the pairing file',
    )
  try {
    return inflateRawSync(Buffer.from(packed, 'base64url'), { maxOutputLength: MAX_BYTES }).toString('utf8')
  } catch (cause) {
    throw new CountersignError('ERR_CONFIG_INVALID', 'the pairing code holds nothing that can be unpacked', { cause })
  }
}

function checkOf(packed: string): string {
  return createHash('sha256').update(packed).digest('base64url').slice(0, CHECK_CHARS)
}
