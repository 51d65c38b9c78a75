import { hundredthsOf, placedAmounts, sayAmount } from './amounts.ts'
import { momentsIn } from './grounding-dates.ts'
import { costlyWords, promisesIn } from './grounding-promises.ts'
import { isGerman, namesIn, numeralsIn, signsOf, stemsOf, wordsOf } from './grounding-words.ts'
import { findIbans } from './iban.ts'

/** Where a claim of a draft may come from. `own`: what the owner is called. */
export type SourceName = 'mail' | 'notes' | 'handbook' | 'goals' | 'own'
export type ClaimKind = 'amount' | 'date' | 'time' | 'number' | 'name' | 'promise'

/** Something a draft says that somebody could rely on. */
export interface Claim {
  readonly kind: ClaimKind
  readonly written: string
  /** Of a promise: it is about money or liability. */
  readonly isCostly: boolean
  /** The first line that says the same; undefined: none does. */
  readonly source: Source | undefined
}

export interface Source {
  readonly where: SourceName
  /** From 1. */
  readonly line: number
  /** Some of that line; a stranger's words, where the source is a stranger's. */
  readonly quote: string
}

/** A source made ready once for many claims. */
export interface SourceIndex {
  readonly where: SourceName
  readonly lines: readonly string[]
  /** What each amount, moment and number is found by, and where it stands first. */
  readonly keys: ReadonlyMap<string, Place>
  /** Lines of each word, the first ones. */
  readonly words: ReadonlyMap<string, readonly number[]>
  readonly stems: ReadonlyMap<string, readonly number[]>
}

interface Place {
  readonly line: number
  readonly at: number
}

const MAX_SOURCE_CHARS = 300_000
const MAX_DRAFT_CHARS = 120_000
const MAX_CLAIMS = 300
const MAX_LINES_OF_WORD = 50
const MAX_QUOTE_CHARS = 80
const MAX_WRITTEN_CHARS = 160
/** Of a promise's telling words, so many must stand in one line or its neighbour. */
const SHARED = 0.4
/** How `core/quote.ts` shows what cannot be seen. */
const UNSEEN = /⟦U\+[0-9A-F]{4,6}⟧|[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
/** Flagged in its own way elsewhere: accounts, links and addresses. */
const ELSEWHERE =
  /(?<![\p{L}\p{N}])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![\p{L}\p{N}])|(?<!\S)\S{1,2000}/gu

/** `today`: the day that “tomorrow” in it is counted from, as `dayNumber` gives it. */
export function indexSource(where: SourceName, text: string, today?: number): SourceIndex {
  const lines = text.slice(0, MAX_SOURCE_CHARS).split('\n')
  const keys = new Map<string, Place>()
  const words = new Map<string, number[]>()
  const stems = new Map<string, number[]>()
  for (const [index, raw] of lines.entries()) {
    const line = normal(raw)
    for (const { keys: offered, at } of offersOf(line, today))
      for (const key of offered) if (!keys.has(key)) keys.set(key, { line: index + 1, at })
    for (const word of wordsOf(line)) note(words, word, index + 1)
    for (const stem of stemsOf(line)) note(stems, stem, index + 1)
  }
  return { where, lines, keys, words, stems }
}

/**
 * What a draft claims, each once, with the first line of the first source that says the same; the sources go in the order
 * they are given. Numbers and dates count as the same in any spelling, promises by the words they share with a line.
 */
export function groundDraft(draft: string, sources: readonly SourceIndex[], today?: number): Claim[] {
  const lines = draft.slice(0, MAX_DRAFT_CHARS).split('\n').map(normal)
  const found = new Map<string, Claim>()
  const german = isGerman(draft)
  const add = (kind: ClaimKind, written: string, key: string, source: () => Source | undefined, isCostly = false) => {
    if (found.size >= MAX_CLAIMS || found.has(`${kind} ${key}`)) return
    found.set(`${kind} ${key}`, { kind, written: written.slice(0, MAX_WRITTEN_CHARS), isCostly, source: source() })
  }
  for (const { written, isCostly } of promisesIn(lines))
    add('promise', written, written, () => sourceOfPromise(written, isCostly, sources), isCostly)
  for (const line of lines) {
    const plain = line.replace(ELSEWHERE, (run) => (isElsewhere(run) ? ' '.repeat(run.length) : run))
    const said = saidIn(plain, today)
    for (const one of said) add(one.kind, one.written, one.asks.join(), () => sourceOf(one, sources))
    const unsaid = blanked(
      plain,
      said.filter(({ kind }) => kind === 'date' || kind === 'time'),
    )
    for (const { written, words } of namesIn(unsaid, german))
      add('name', written, words.join(' '), () => sourceOfName(words, sources))
  }
  return [...found.values()]
}

interface Said {
  readonly kind: ClaimKind
  readonly written: string
  readonly at: number
  readonly offers: readonly string[]
  /** One of them is enough. */
  readonly asks: readonly string[]
  /** Or all of these. */
  readonly parts: readonly string[]
}

function offersOf(line: string, today: number | undefined): { keys: readonly string[]; at: number }[] {
  return saidIn(line, today).map(({ offers, at }) => ({ keys: offers, at }))
}

/** Moments first, then amounts, then the numbers that are left. */
function saidIn(line: string, today: number | undefined): Said[] {
  if (!/[\d\p{L}]/u.test(line)) return []
  const moments = momentsIn(line, today)
  const withoutMoments = blanked(line, moments)
  const amounts = placedAmounts(withoutMoments)
  return [
    ...moments.map((one) => ({ ...one, parts: [] })),
    ...amounts.map(({ amount, at }): Said => {
      const { currency, cents } = amount
      const [exact, bare] = [`$${currency}${cents}`, `v${cents}`]
      return {
        kind: 'amount',
        written: sayAmount(amount),
        at,
        offers: [exact, `c${cents}`],
        asks: [exact, bare],
        parts: [],
      }
    }),
    ...numeralsIn(blanked(withoutMoments, amounts)).map(({ written, at }) => numberSaid(written, at)),
  ]
}

function numberSaid(written: string, at: number): Said {
  const exact = `#${signsOf(written)}`
  const value = /^\d[\d.,’']{0,20}%?$/.test(written) ? [hundredthsOf(written.replace('%', ''))] : []
  const parts = written.split(/[^\p{L}\p{N}]+/u).filter((part) => /\d/.test(part))
  const keys = parts.map((part) => `#${part.toLowerCase()}`)
  return {
    ...{ kind: 'number', written, at },
    offers: [exact, ...value.map((one) => `v${one}`), ...keys],
    asks: [exact, ...value.flatMap((one) => [`v${one}`, `c${one}`])],
    parts: keys.length > 1 ? keys : [],
  }
}

function sourceOf({ asks, parts }: Said, sources: readonly SourceIndex[]): Source | undefined {
  for (const source of sources) {
    const whole = asks.find((key) => source.keys.has(key))
    const [first] = parts
    const key = whole ?? (first !== undefined && parts.every((part) => source.keys.has(part)) ? first : undefined)
    const place = key === undefined ? undefined : source.keys.get(key)
    if (place) return quoted(source, place)
  }
  return undefined
}

/** All words of a name in one source, at best in one line. */
function sourceOfName(words: readonly string[], sources: readonly SourceIndex[]): Source | undefined {
  for (const source of sources) {
    const lists = words.map((word) => source.words.get(word))
    if (lists.some((list) => list === undefined)) continue
    const [first = [], ...others] = lists.map((list) => list ?? [])
    const line = first.find((one) => others.every((list) => list.includes(one))) ?? first[0] ?? 1
    const at = normal(source.lines[line - 1] ?? '')
      .toLowerCase()
      .indexOf(words[0] ?? '')
    return quoted(source, { line, at })
  }
  return undefined
}

/** One that costs something is found only where cost is spoken of, and looked for in what the owner wrote first. */
function sourceOfPromise(written: string, isCostly: boolean, sources: readonly SourceIndex[]): Source | undefined {
  const stems = stemsOf(written)
  const needed = Math.max(Math.min(stems.length, 2), Math.ceil(stems.length * SHARED))
  if (needed === 0) return undefined
  const ordered = isCostly
    ? sources.toSorted((a, b) => Number(a.where === 'mail') - Number(b.where === 'mail'))
    : sources
  for (const source of ordered) {
    const line = bestLine(stems, source, (text) => !isCostly || costlyWords(text))
    if (line !== undefined && line.shared >= needed) return quoted(source, { line: line.line, at: 0 })
  }
  return undefined
}

function bestLine(
  stems: readonly string[],
  { lines, stems: index }: SourceIndex,
  isFit: (text: string) => boolean,
): { line: number; shared: number } | undefined {
  const direct = new Map<number, Set<string>>()
  for (const stem of stems)
    for (const line of index.get(stem) ?? []) direct.set(line, (direct.get(line) ?? new Set()).add(stem))
  // A sentence goes over two lines often.
  const shared = (line: number) => new Set([...(direct.get(line) ?? []), ...(direct.get(line + 1) ?? [])]).size
  return [...direct.keys()]
    .map((line) => ({ line, shared: shared(line) }))
    .sort((a, b) => b.shared - a.shared || a.line - b.line)
    .find(({ line }) => isFit(`${lines[line - 1] ?? ''} ${lines[line] ?? ''}`))
}

function quoted({ where, lines }: SourceIndex, { line, at }: Place): Source {
  const text = lines[line - 1] ?? ''
  const start = at + 10 < MAX_QUOTE_CHARS ? 0 : Math.max(0, at - MAX_QUOTE_CHARS / 2)
  const end = start + MAX_QUOTE_CHARS
  const quote = `${start > 0 ? '…' : ''}${text.slice(start, end).trim()}${end < text.length ? '…' : ''}`
  return { where, line, quote: quote.toWellFormed() }
}

function isElsewhere(run: string): boolean {
  return /:\/\/|@|^www\./i.test(run) || (/^[A-Z]{2}\d\d/.test(run) && findIbans(run).valid.length > 0)
}

function blanked(line: string, found: readonly { written: string; at: number }[]): string {
  const pieces: string[] = []
  let done = 0
  for (const { written, at } of found) {
    pieces.push(line.slice(done, at), ' '.repeat(written.length))
    done = at + written.length
  }
  return pieces.join('') + line.slice(done)
}

function normal(line: string): string {
  return line.toWellFormed().replace(UNSEEN, '').normalize('NFKC')
}

function note(index: Map<string, number[]>, word: string, line: number): void {
  const lines = index.get(word)
  if (!lines) index.set(word, [line])
  else if (lines.length < MAX_LINES_OF_WORD && lines.at(-1) !== line) lines.push(line)
}
