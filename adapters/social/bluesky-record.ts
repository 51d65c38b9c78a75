import { createHash } from 'node:crypto'
import { hashtagsIn, linksIn } from '#core/social-text.ts'

const TID_ALPHABET = '234567abcdefghijklmnopqrstuvwxyz'
const ULID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * The record key of a post: a TID, as the record type demands (53 bits of µs and 10 of a clock's id, in the network's own
 * base 32), made from the task's id alone, so that the same approval always names the same record and no other does.
 */
export function recordKeyOf(key: string): string {
  const hash = createHash('sha256').update(`countersign/bluesky/v1\n${key}`).digest()
  const micros = BigInt(timeOf(key)) * 1_000n + BigInt(hash.readUInt32BE(0) % 1_000)
  const value = ((micros & 0x1f_ffff_ffff_ffffn) << 10n) | BigInt(hash.readUInt16BE(4) & 0x3ff)
  let tid = ''
  for (let shift = 60n; shift >= 0n; shift -= 5n) tid += TID_ALPHABET[Number((value >> shift) & 31n)]
  return tid
}

/** The time in the ULID that a key begins with, ms. */
function timeOf(key: string): number {
  let time = 0
  for (const digit of key.slice(0, 10)) time = time * 32 + Math.max(0, ULID_ALPHABET.indexOf(digit))
  return time
}

export interface Facet {
  readonly index: { readonly byteStart: number; readonly byteEnd: number }
  readonly features: readonly Readonly<Record<string, string>>[]
}

/** What makes links and hashtags work: places in the text by UTF-8 bytes. Mentions stay plain text: they name no one for sure. */
export function facetsOf(text: string): Facet[] {
  const facet = (span: { text: string; start: number }, feature: Record<string, string>): Facet => {
    const byteStart = Buffer.byteLength(text.slice(0, span.start))
    return { index: { byteStart, byteEnd: byteStart + Buffer.byteLength(span.text) }, features: [feature] }
  }
  const links = linksIn(text).map((link) => facet(link, { $type: 'app.bsky.richtext.facet#link', uri: link.text }))
  const tags = hashtagsIn(text).map((tag) =>
    facet(tag, { $type: 'app.bsky.richtext.facet#tag', tag: tag.text.slice(1) }),
  )
  return [...links, ...tags].toSorted((a, b) => a.index.byteStart - b.index.byteStart)
}
