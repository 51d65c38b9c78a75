import { createHash } from 'node:crypto'
import { NOTE_KINDS, type NoteKind, type Noteworthy } from './noteworthy.ts'
import type { Told } from './ports/notifier.ts'
import { oneLine } from './quote.ts'

/** What is handed to a notifier: plain text, no markup, one line each. */
export interface Notice {
  /** The same for the same matters: a receiver may drop a second one. */
  readonly id: string
  /** ISO 8601 UTC. */
  readonly at: string
  readonly isUrgent: boolean
  readonly count: number
  readonly title: string
  readonly lines: readonly string[]
}

/** `titles`: of what they are about; `counts`: only how many there are of each kind. */
export const NOTICE_DETAILS = ['titles', 'counts'] as const
export type NoticeDetail = (typeof NOTICE_DETAILS)[number]

export type NoticePlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'send'; readonly items: readonly Noteworthy[]; readonly told: Told }

const MAX_LINES = 5
const MAX_TITLE = 80
/** What has not been there for so long may be told of again. */
const TOLD_FOR_MS = 90 * 86_400_000
const MAX_GONE = 2_000
const NEVER: Told = { lastAt: Number.NEGATIVE_INFINITY, keys: {} }

const WORDS: Readonly<Record<NoteKind, { readonly one: string; readonly many: string }>> = {
  question: { one: 'outcome unknown', many: 'with unknown outcome' },
  refused: { one: 'refused', many: 'refused' },
  silent: { one: 'silent', many: 'silent' },
  high: { one: 'high risk', many: 'of high risk' },
  urgent: { one: 'urgent', many: 'marked urgent' },
  old: { one: 'waiting for long', many: 'waiting for long' },
}

/**
 * Whether to tell now: what was not told yet, all together, and never sooner than `everyMs` after the last time. While
 * it is quiet, only what cannot wait.
 */
export function planNotice(
  items: readonly Noteworthy[],
  told: Told = NEVER,
  when: { readonly now: number; readonly everyMs: number; readonly isQuiet: boolean },
): NoticePlan {
  const { now, everyMs, isQuiet } = when
  const fresh = items.filter(({ key, kind }) => !Object.hasOwn(told.keys, key) && !(isQuiet && kind === 'old'))
  // A last time that is still to come was told by a clock that has been set back since.
  const isTooSoon = told.lastAt <= now && now - told.lastAt < everyMs
  if (fresh.length === 0 || isTooSoon) return { kind: 'nothing' }
  const there = new Set(items.map(({ key }) => key))
  const known = Object.entries(told.keys)
  const gone = known
    .filter(([key, at]) => !there.has(key) && now - at < TOLD_FOR_MS)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MAX_GONE)
  const kept = known.filter(([key]) => there.has(key))
  const keys = Object.fromEntries([...gone, ...kept, ...fresh.map(({ key }) => [key, now] as const)])
  return { kind: 'send', items: fresh, told: { lastAt: now, keys } }
}

/** The words of a notice. What leaves the machine names no private task and no address, and with `counts` nothing at all. */
export function makeNotice(
  items: readonly Noteworthy[],
  options: { readonly now: number; readonly isOutside: boolean; readonly detail: NoticeDetail },
): Notice {
  const { now, isOutside, detail } = options
  const count = items.length
  const shown = items.slice(0, count === MAX_LINES + 1 ? count : MAX_LINES)
  const more = count - shown.length
  const titles = [
    ...shown.map(
      (item) => `${capital(WORDS[item.kind].one)}: ${isOutside ? outsideTitle(item) : oneLine(item.title, MAX_TITLE)}`,
    ),
    ...(more > 0 ? [`and ${more} more`] : []),
  ]
  return {
    id: createHash('sha256')
      .update(items.map(({ key }) => key).join('\n'))
      .digest('hex')
      .slice(0, 32),
    at: new Date(now).toISOString(),
    isUrgent: items.some(({ kind }) => kind !== 'old'),
    count,
    title: count === 1 ? 'Countersign: one thing needs you' : `Countersign: ${count} things need you`,
    lines: isOutside && detail === 'counts' ? countLines(items) : titles,
  }
}

function countLines(items: readonly Noteworthy[]): string[] {
  return NOTE_KINDS.flatMap((kind) => {
    const count = items.filter((item) => item.kind === kind).length
    return count === 0 ? [] : [`${count} ${WORDS[kind].many}`]
  })
}

function outsideTitle({ title, domain, isPrivate }: Noteworthy): string {
  if (isPrivate) return `a ${domain} task`
  return oneLine(title, MAX_TITLE * 4)
    .replace(/[^\s<>"'(),;:]+(?:@|＠)[^\s<>"'(),;]+/g, '(address)')
    .replace(/(?:\d[ .-]?){12,}/g, '(number) ')
    .trim()
    .slice(0, MAX_TITLE)
    .toWellFormed()
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
