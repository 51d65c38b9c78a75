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

/** Whether it is a code, whole or not, or what is left of one whose beginning was not copied: no file is called so. */
export function isPairingCode(text: string): boolean {
  const bare = bareCode(text)
  return /^cs\d+-/.test(bare) || /^[\w-]{60,}$/.test(bare)
}

/** The document in a code. Throws ERR_CONFIG_INVALID. */
export function documentIn(code: string): string {
  const bare = bareCode(code)
  const [, form = '1', body = ''] = /^(?:cs(\d+)-)?(.*)$/.exec(bare) ?? []
  if (form !== '1')
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      'the pairing code is of a newer form than this program knows: bring both machines to the same version of Countersign',
    )
  const [, check, packed] = /^([A-Za-z0-9_-]{8})-([A-Za-z0-9_-]+)$/.exec(body) ?? []
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

/** Without what came in on its way: blanks, line ends, quotation marks around it. */
function bareCode(text: string): string {
  return text.replace(/\s/g, '').replace(/^["'`‘’“”]+|["'`‘’“”]+$/g, '')
}

function checkOf(packed: string): string {
  return createHash('sha256').update(packed).digest('base64url').slice(0, CHECK_CHARS)
}
