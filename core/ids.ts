/** A ULID (26 characters of Crockford base 32: 48 bits of milliseconds, 80 random bits; github.com/ulid/spec). */
export type TaskId = string & { readonly __brand: 'TaskId' }

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

export function isTaskId(text: string): text is TaskId {
  return ULID.test(text)
}

/**
 * Makes a ULID from a time (ms since the epoch) and at least 10 bytes of randomness, or of a digest where the same
 * source must always give the same id (triage derives a mail's task id from its Message-ID).
 */
export function makeTaskId(timeMs: number, random: Uint8Array): TaskId {
  if (random.length < 10) throw new RangeError(`makeTaskId needs 10 random bytes, got ${random.length}`)
  let value = BigInt(Math.trunc(timeMs)) & 0xffffffffffffn
  for (const byte of random.subarray(0, 10)) value = (value << 8n) | BigInt(byte)
  let id = ''
  for (let digit = 0; digit < 26; digit++) {
    id = ALPHABET[Number(value & 31n)] + id
    value >>= 5n
  }
  return id as TaskId
}

/** The part of an id that file names carry: its last six characters, lower case. */
export function shortId(id: TaskId): string {
  return id.slice(-6).toLowerCase()
}
