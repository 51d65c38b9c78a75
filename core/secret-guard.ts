import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { CountersignError } from './errors.ts'
import { formsOf, type KnownSecret } from './secret-forms.ts'

/**
 * Knows the secrets that a zone holds without holding them: salted fingerprints of each one, in every encoding that
 * somebody might dress it in. Whoever has the file can try out guesses, so it is kept as a password file is.
 */
export interface SecretGuard {
  /** The name of the first secret that stands in these bytes, in one linear pass; never its value. */
  find(bytes: Uint8Array): string | undefined
}

/** Shorter values are no use as fingerprints: they would be found everywhere. */
export const MIN_SECRET_BYTES = 8
/** From this length on a part of a value is recognised as well. */
const PARTS_FROM = 28
const PART = 20
/** The beginnings by which shorter values are found; the whole value confirms. */
const BEGINNINGS = [20, 16, 12, 8]
/** Folded away in every reading: NUL (UTF-16), white space, the mark of a quoted line. */
const DROPPED = new Set([0, 9, 10, 11, 12, 13, 32, 62])
const MAX_GUARD_CHARS = 4 * 1024 * 1024

type Stream = 'letters' | 'marks'
/** `window` bytes whose rolling hash is `hash` begin `length` bytes whose code is `mac`. */
interface Print {
  readonly stream: Stream
  readonly window: number
  readonly hash: number
  readonly length: number
  readonly mac: string
}

const guardSchema = z.strictObject({
  schema: z.literal(1),
  salt: z.string().regex(/^[0-9a-f]{64}$/),
  secrets: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,24}$/),
        /** `<stream> <window> <hash> <length> <mac>`, numbers in hex. */
        prints: z.array(z.string().regex(/^[lm] [0-9a-f]{1,2} [0-9a-f]{1,8} [0-9a-f]{1,4} [0-9a-f]{16}$/)),
      }),
    )
    .max(200),
})

/** The text of `keys/guard.json`. The same secrets and salt give the same text. */
export function renderGuard(secrets: readonly KnownSecret[], salt: Uint8Array): string {
  const hasher = makeHasher(salt)
  const byName = Map.groupBy(
    secrets.filter((secret) => secret.bytes.length >= MIN_SECRET_BYTES),
    ({ name }) => name,
  )
  const known = [...byName]
    .map(([name, group]) => ({ name, prints: [...new Set(group.flatMap((one) => printsOf(one, hasher)))].sort() }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return `${JSON.stringify({ schema: 1, salt: Buffer.from(salt).toString('hex'), secrets: known }, null, 1)}\n`
}

/** Throws ERR_GUARD_MISSING: without its guard nothing is synchronised. */
export function parseGuard(text: string): SecretGuard {
  const { salt, secrets } = readGuard(text)
  const hasher = makeHasher(Buffer.from(salt, 'hex'))
  const streams: Record<Stream, Map<number, Index>> = { letters: new Map(), marks: new Map() }
  for (const { name, prints } of secrets) {
    for (const line of prints) {
      const print = parsePrint(line)
      const byWindow = streams[print.stream]
      const index = byWindow.get(print.window) ?? { low: new Uint8Array(1 << 16), prints: new Map() }
      byWindow.set(print.window, index)
      index.low[print.hash & 0xffff] = 1
      index.prints.set(print.hash, [...(index.prints.get(print.hash) ?? []), { ...print, name }])
    }
  }
  return {
    find: (bytes) =>
      findIn(fold(bytes, 'letters'), streams.letters, hasher) ?? findIn(fold(bytes, 'marks'), streams.marks, hasher),
  }
}

/** The salt of a guard, so that it can be made again the same. */
export function saltOf(text: string): Uint8Array {
  return Buffer.from(readGuard(text).salt, 'hex')
}

interface Index {
  /** Whether any print ends in these 16 bits: says no to nearly all positions at once. */
  readonly low: Uint8Array
  readonly prints: Map<number, (Print & { readonly name: string })[]>
}

function findIn(text: Uint8Array, byWindow: ReadonlyMap<number, Index>, hasher: Hasher): string | undefined {
  for (const [window, { low, prints }] of byWindow) {
    const roll = hasher.roll(window)
    let hash = 0
    for (let at = 0; at < text.length; at++) {
      hash = roll(hash, text[at] as number, at >= window ? (text[at - window] as number) : -1)
      if (low[hash & 0xffff] === 0 || at < window - 1) continue
      const begin = at - window + 1
      const found = prints
        .get(hash >>> 0)
        ?.find(
          ({ length, mac }) =>
            begin + length <= text.length && hasher.mac(text.subarray(begin, begin + length)) === mac,
        )
      if (found) return found.name
    }
  }
  return undefined
}

function printsOf(secret: KnownSecret, hasher: Hasher): string[] {
  return formsOf(secret).flatMap((form) => {
    const letters = fold(form, 'letters')
    // Where the letters say enough, whatever stands between them cannot hide them.
    const isTelling = letters.length >= 12 && letters.length * 4 >= form.length * 3
    const stream = isTelling ? 'letters' : 'marks'
    const text = isTelling ? letters : fold(form, 'marks')
    if (text.length < MIN_SECRET_BYTES) return []
    if (text.length < PARTS_FROM) {
      const window = BEGINNINGS.find((one) => one <= text.length) ?? MIN_SECRET_BYTES
      return [renderPrint(stream, text, window, hasher)]
    }
    return Array.from({ length: text.length - PART + 1 }, (_, at) =>
      renderPrint(stream, text.subarray(at, at + PART), PART, hasher),
    )
  })
}

function renderPrint(stream: Stream, text: Uint8Array, window: number, hasher: Hasher): string {
  const roll = hasher.roll(window)
  const hash = text.subarray(0, window).reduce((before, byte) => roll(before, byte, -1), 0) >>> 0
  return [
    stream === 'letters' ? 'l' : 'm',
    ...[window, hash, text.length].map((one) => one.toString(16)),
    hasher.mac(text),
  ].join(' ')
}

function parsePrint(line: string): Print {
  const [stream, window = '', hash = '', length = '', mac = ''] = line.split(' ')
  const number = (text: string) => Number.parseInt(text, 16)
  return {
    stream: stream === 'l' ? 'letters' : 'marks',
    window: number(window),
    hash: number(hash),
    length: number(length),
    mac,
  }
}

/**
 * What every dress has in common: one case, no white space, base64's two alphabets as one. `letters` leaves ASCII
 * letters and digits alone, so that neither quotes nor hyphens nor emphasis within hide anything.
 */
function fold(bytes: Uint8Array, stream: Stream): Uint8Array {
  const table = FOLDS[stream]
  const folded = new Uint8Array(bytes.length)
  let length = 0
  for (const byte of bytes) {
    const kept = table[byte] as number
    if (kept >= 0) folded[length++] = kept
  }
  return folded.subarray(0, length)
}

const FOLDS: Readonly<Record<Stream, Int16Array>> = {
  letters: foldTable((byte) => /[a-z0-9]/.test(String.fromCharCode(byte))),
  marks: foldTable((byte) => !DROPPED.has(byte)),
}

function foldTable(isKept: (byte: number) => boolean): Int16Array {
  const alike: Readonly<Record<string, string>> = { '-': '+', _: '/' }
  return Int16Array.from({ length: 256 }, (_, byte) => {
    const letter = byte < 128 ? String.fromCharCode(byte).toLowerCase() : String.fromCharCode(byte)
    const folded = (alike[letter] ?? letter).charCodeAt(0)
    return isKept(folded) ? folded : -1
  })
}

interface Hasher {
  readonly roll: (window: number) => (hash: number, entering: number, leaving: number) => number
  readonly mac: (bytes: Uint8Array) => string
}

/** Cyclic polynomial hashing by a table that only the salt gives; HMAC confirms. */
function makeHasher(salt: Uint8Array): Hasher {
  const seeds = Array.from({ length: 16 }, (_, block) => createHmac('sha512', salt).update(`table ${block}`).digest())
  const bytes = Buffer.concat(seeds)
  const table = Uint32Array.from({ length: 256 }, (_, byte) => bytes.readUInt32LE(byte * 4))
  return {
    roll: (window) => {
      const turn = window & 31
      const gone = table.map((one) => (one << turn) | (turn === 0 ? 0 : one >>> (32 - turn)))
      return (hash, entering, leaving) =>
        ((hash << 1) | (hash >>> 31)) ^ (table[entering] as number) ^ (leaving < 0 ? 0 : (gone[leaving] as number))
    },
    mac: (text) => createHmac('sha256', salt).update(text).digest('hex').slice(0, 16),
  }
}

function readGuard(text: string): z.output<typeof guardSchema> {
  try {
    if (text.length <= MAX_GUARD_CHARS) return guardSchema.parse(JSON.parse(text))
  } catch {
    // Whatever is wrong with it, making it anew mends it.
  }
  throw new CountersignError('ERR_GUARD_MISSING', 'the guard of the known secrets (keys/guard.json) cannot be read')
}
