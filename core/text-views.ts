/** A text as it reads after one kind of decoding: what is wrapped, escaped or interspersed is still what it says. */
export interface TextView {
  readonly name: 'visible' | 'unescaped' | 'quoted-printable' | 'base64'
  readonly text: string
  /** The range of the original text that a range of this one stands for. */
  readonly locate: (start: number, end: number) => readonly [start: number, end: number]
}

type Range = readonly [start: number, end: number]

/**
 * What a reader does not see (or sees marked by `core/quote.ts`), the prefix of a quoted line, Markdown's emphasis and
 * escapes, and letters in another dress.
 */
const DRESSING =
  /⟦U\+[0-9A-F]{4,6}⟧|[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+|^[ \t]*>[> \t]*|\\(?=[!-/:-@[-`{-~])|[*`]+|[\u00a0\u00b2\u00b3\u00b9\u2000-\u200a\u202f\u2070-\u209c\u2460-\u24ff\u3000\uff01-\uff5e\u{1d400}-\u{1d7ff}]/gmu
const ESCAPES = /(?:%[0-9a-f]{2})+|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,6});|(?:\\u[0-9a-f]{4}|\\x[0-9a-f]{2})+|\\n/gi
const QUOTED_PRINTABLE = /=[ \t]*\r?\n|(?:=[0-9A-F]{2})+/g
const BASE64 = /[A-Za-z0-9+/_-]{24,}(?:\r?\n[A-Za-z0-9+/_-]{8,})*={0,2}/g
/** More than any honest note holds. */
const MAX_BLOBS = 64
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** Every reading of a text that differs from the others, the visible one first. Linear in its length. */
export function viewsOf(text: string): TextView[] {
  const visible = rewrite(
    'visible',
    text,
    (start, end) => [start, end],
    DRESSING,
    (dressing) =>
      dressing.length <= 2 && !/^[\\*`> \t]/.test(dressing) ? withoutInvisible(dressing.normalize('NFKC')) : '',
  )
  const further = [
    rewrite('unescaped', visible.text, visible.locate, ESCAPES, unescaped),
    rewrite('quoted-printable', visible.text, visible.locate, QUOTED_PRINTABLE, unquoted),
    base64View(visible),
  ]
  return [visible, ...further.filter((view) => view.text !== visible.text && view.text !== '')]
}

/** One piece of a view: a copy of the original, or what stands for one range of it. */
interface Piece {
  readonly at: number
  readonly from: number
  readonly to: number
  readonly isCopy: boolean
}

function rewrite(
  name: TextView['name'],
  text: string,
  locate: TextView['locate'],
  pattern: RegExp,
  replace: (found: string) => string,
): TextView {
  const pieces: Piece[] = []
  const parts: string[] = []
  let length = 0
  let done = 0
  const add = (part: string, from: number, to: number, isCopy: boolean) => {
    pieces.push({ at: length, from, to, isCopy })
    parts.push(part)
    length += part.length
  }
  for (const match of text.matchAll(pattern)) {
    const replacement = replace(match[0])
    if (replacement === match[0]) continue
    if (match.index > done) add(text.slice(done, match.index), done, match.index, true)
    done = match.index + match[0].length
    if (replacement !== '') add(replacement, match.index, done, false)
  }
  if (parts.length === 0 && done === 0) return { name, text, locate }
  if (done < text.length) add(text.slice(done), done, text.length, true)
  return { name, text: parts.join(''), locate: locator(pieces, locate) }
}

/** The readable contents of the base64 blobs of a text, a line each. */
function base64View(visible: TextView): TextView {
  const pieces: Piece[] = []
  const parts: string[] = []
  let length = 0
  for (const match of visible.text.matchAll(BASE64)) {
    if (parts.length >= MAX_BLOBS) break
    const content = readableContent(match[0])
    if (content === undefined) continue
    pieces.push({ at: length, from: match.index, to: match.index + match[0].length, isCopy: false })
    parts.push(content)
    length += content.length + 1
  }
  return { name: 'base64', text: parts.join('\n'), locate: locator(pieces, visible.locate) }
}

function locator(pieces: readonly Piece[], locate: TextView['locate']): TextView['locate'] {
  return (start, end) => {
    const [from] = placeOf(pieces, start)
    const [, to] = placeOf(pieces, Math.max(start, end - 1))
    return locate(from, to)
  }
}

/** The range that one character stands for. */
function placeOf(pieces: readonly Piece[], at: number): Range {
  let low = 0
  let high = pieces.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((pieces[middle] as Piece).at <= at) low = middle
    else high = middle - 1
  }
  const piece = pieces[low]
  if (!piece) return [at, at + 1]
  const from = piece.from + (at - piece.at)
  return piece.isCopy ? [from, from + 1] : [piece.from, piece.to]
}

function withoutInvisible(text: string): string {
  return text.replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+/gu, '')
}

function unescaped(found: string): string {
  if (found === '\\n') return '\n'
  if (found.startsWith('%')) return bytesText(found.replaceAll('%', ''))
  if (found.startsWith('\\')) {
    return found.replace(/\\[ux]([0-9a-f]+)/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  const name = found.slice(1, -1).toLowerCase()
  if (!name.startsWith('#')) return ENTITIES[name] ?? found
  const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : found
}

function unquoted(found: string): string {
  return /^=[ \t]*\r?\n/.test(found) ? '' : bytesText(found.replaceAll('=', ''))
}

function bytesText(hex: string): string {
  return Buffer.from(hex, 'hex').toString('utf8')
}

/** undefined: bytes that are no text, or no base64 at all. */
function readableContent(blob: string): string | undefined {
  const bytes = Buffer.from(blob, 'base64')
  let odd = 0
  for (const byte of bytes) {
    if ((byte < 0x20 || byte > 0x7e) && byte !== 9 && byte !== 10 && byte !== 13 && ++odd > bytes.length * 0.03) return
  }
  return bytes.toString('latin1')
}
