import { type TextView, viewsOf } from './text-views.ts'

/** A rule looks at this much at a time, and at the seam twice. */
const CHUNK_CHARS = 256 * 1024
const OVERLAP_CHARS = 16 * 1024
/** Of a file that is no text, the runs of readable characters that could hold a token. */
const READABLE_RUN = /[\t\x20-\x7e]{16,}/g

const known = new WeakMap<Uint8Array, readonly TextView[]>()

/** Every reading of every piece of a file's text. The layers of a scan ask for the same bytes one after the other. */
export function readingsOf(bytes: Uint8Array): readonly TextView[] {
  const readings = known.get(bytes) ?? textsOf(bytes).flatMap(viewsOf)
  known.set(bytes, readings)
  return readings
}

/** The readable text of a file in pieces of bounded size: all of it, or what can be read in something else. */
export function textsOf(bytes: Uint8Array): string[] {
  return chunksOf(textIn(bytes))
}

function textIn(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // No text of that encoding.
  }
  const latin = Buffer.from(bytes).toString('latin1').replaceAll('\0', '')
  return (latin.match(READABLE_RUN) ?? []).join('\n')
}

function chunksOf(text: string): string[] {
  const chunks: string[] = []
  for (let at = 0; at < text.length; at += CHUNK_CHARS - OVERLAP_CHARS) {
    chunks.push(text.slice(at, at + CHUNK_CHARS))
    if (at + CHUNK_CHARS >= text.length) break
  }
  return chunks
}
