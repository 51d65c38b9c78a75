import { code } from './card-text.ts'
import { type Claim, type ClaimKind, groundDraft, indexSource, type Source, type SourceIndex } from './grounding.ts'
import { dayNumber } from './grounding-dates.ts'
import type { Risk } from './risk.ts'
import { messagesIn } from './thread-text.ts'

/** What this machine has of the owner's words, made ready once for many drafts. */
export interface OwnersWords {
  readonly handbook: SourceIndex
  readonly goals: SourceIndex
  readonly own: SourceIndex
}

/** What a draft was made from, as texts. `original`: the section as it stands in the file. */
export interface DraftSources {
  readonly original: string
  readonly notes: string
}

const MAX_LISTED = 15
const MAX_NAMED = 6
const HEAD = '**Where it comes from** (the lines of the quote below, of your handbook, goals and notes)'
const RECEIVED = /^Received: (\d{4}-\d{2}-\d{2})/m
const WORDS: Readonly<Record<ClaimKind, readonly [one: string, many: string]>> = {
  amount: ['amount', 'amounts'],
  promise: ['promise', 'promises'],
  date: ['date', 'dates'],
  time: ['time', 'times'],
  number: ['number', 'numbers'],
  name: ['name', 'names'],
}
const ORDER = Object.keys(WORDS) as ClaimKind[]
const PLACES: Readonly<Record<Source['where'], string>> = {
  mail: 'mail',
  notes: 'notes',
  handbook: 'handbook',
  goals: 'goals',
  own: 'your name',
}

export function ownersWords(texts: { handbook: string; goals: string; ownName: string }): OwnersWords {
  return {
    handbook: indexSource('handbook', texts.handbook.replaceAll('\r\n', '\n')),
    goals: indexSource('goals', texts.goals.replaceAll('\r\n', '\n')),
    own: indexSource('own', texts.ownName),
  }
}

/** Traces what a draft says to the mail, the notes to the drafter, the handbook and the goals, in this order. */
export function claimsOf(draft: string, { original, notes }: DraftSources, owner: OwnersWords): Claim[] {
  const mail = original.replace(/^`{3,}(?:text)?\n+/, '')
  const newest = messagesIn(original).at(-1) ?? ''
  const head = newest.slice(0, Math.max(0, newest.search(/\n[ \t]*\n/)))
  const today = dayNumber(RECEIVED.exec(head)?.[1] ?? '')
  const sources = [indexSource('mail', mail, today), indexSource('notes', notes.trim(), today)]
  return groundDraft(draft, [owner.own, ...sources, owner.handbook, owner.goals], today)
}

/** What has no source, a remark for each kind. Accounts, links and addresses have rules of their own. */
export function groundingRisks(claims: readonly Claim[]): Risk[] {
  const unsaid = ORDER.flatMap((kind) => {
    const texts = claims.filter((one) => one.kind === kind && !one.source).map(({ written }) => written)
    return texts.length === 0 ? [] : [ungrounded(kind, texts)]
  })
  const granted = claims.filter(({ isCostly, source }) => isCostly && source?.where === 'mail')
  if (granted.length === 0) return unsaid
  const say = `it promises what only the mail asks for: ${listed(granted.map(({ written }) => written))}`
  return [...unsaid, { flag: 'promise-of-thread', level: 'notice', say }]
}

/** What of a draft a task file's `risk` names: for the drafter, which has the same texts. */
export function groundingFlags(
  draft: string,
  texts: DraftSources & { readonly handbook: string; readonly goals?: string; readonly ownName?: string },
): string[] {
  const claims = claimsOf(draft, texts, ownersWords({ goals: '', ownName: '', ...texts }))
  return groundingRisks(claims).map(({ flag }) => flag)
}

/**
 * What can be traced, the weightiest first: a block of the card, in Markdown that is safe to show. Empty when nothing can.
 * `taskKind`: of the file; by it what is quoted there is a mail, or what was asked for.
 */
export function sourceBlock(claims: readonly Claim[], taskKind: string): string {
  const traced = claims.flatMap((one) =>
    one.source && one.source.where !== 'own' ? [{ ...one, source: one.source }] : [],
  )
  const sorted = traced.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
  const more = sorted.length - MAX_LISTED
  const lines = sorted.slice(0, MAX_LISTED).map(({ kind, written, source }) => {
    const place = source.where === 'mail' && taskKind !== 'EMAIL' ? 'task' : PLACES[source.where]
    const from = `${place}, line ${source.line}`
    return `- ${WORDS[kind][0]} ${code(written)}: ${from}, ${code(source.quote)}`
  })
  return lines.length === 0 ? '' : [`${HEAD}\n`, ...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n')
}

function ungrounded(kind: ClaimKind, texts: readonly string[]): Risk {
  const flag = kind === 'amount' ? 'amount-new' : `ungrounded-${kind}`
  const [one, many] = WORDS[kind]
  const what = `the ${texts.length === 1 ? one : many} ${listed(texts)}`
  return { flag, level: 'notice', say: `in no source (mail, notes, handbook, goals): ${what}` }
}

function listed(texts: readonly string[]): string {
  const more = texts.length - MAX_NAMED
  const named = texts.slice(0, MAX_NAMED).map((text) => `“${text}”`)
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
