import { domainDigest } from './canonical-json.ts'
import { isTaskId, shortId, type TaskId } from './ids.ts'
import { CONTINUED, plainMarkdown, quoteInert, quoteShown, unlinked } from './quote.ts'

/** One draft as the sheet shows it. `card` is the card of its file, rendered by this machine; the rest may be a stranger's. */
export interface ReviewItem {
  readonly taskId: TaskId
  readonly path: string
  readonly title: string
  /** What is done, in a few words. */
  readonly brief: string
  readonly card: string
  /** The text that goes out, whole. */
  readonly draft: string
  /** What it answers; its beginning is shown. Empty for none. */
  readonly original: string
  /** How many remarks its card makes. */
  readonly risks: number
  /** When it was made, ISO 8601 UTC. */
  readonly at: string
}

/** A draft that waits but has no box in the sheet, and why. */
export interface ReviewApart {
  readonly path: string
  readonly title: string
  readonly say: string
}

export interface ReviewFacts {
  /** ISO 8601 UTC. */
  readonly at: string
  /** Why there is a new sheet, in plain words; undefined when the person asked for it. */
  readonly reason?: string | undefined
  readonly items: readonly ReviewItem[]
  readonly apart: readonly ReviewApart[]
}

export interface ReviewSheet {
  readonly text: string
  /** `reviewDigest` of the text. */
  readonly digest: string
  /** The items that have a box in it, in order. */
  readonly shown: readonly ReviewItem[]
}

export const MAX_REVIEW_ITEMS = 100
export const MAX_REVIEW_BYTES = 300 * 1024
const MAX_APART = 100
const MAX_DRAFT_CHARS = 20_000
const MAX_ORIGINAL_CHARS = 1_000
/** The first line of every sheet: by it a note is known to be one. */
const SHEET_MARK = '<!-- countersign:review -->'
const TICK_MARK = /^<!-- countersign:tick ([0-9A-Z]{26}) -->$/
const TICK_END = '<!-- countersign:/tick -->'
const TICK = /^- \[([ xX])\] (?=Approve )/

/**
 * The text of Review.md: what waits for the person, each draft in full under a box of its own, the riskiest and oldest
 * first. No draft is ever cut: one that does not fit is named with a link instead. The same facts give the same text.
 */
export function renderReview(facts: ReviewFacts): ReviewSheet {
  const apart: ReviewApart[] = [...facts.apart]
  const shown: ReviewItem[] = []
  const blocks: string[] = []
  let bytes = 0
  for (const item of [...facts.items].sort(byRiskAndAge)) {
    const block = itemBlock(item, shown.length + 1)
    const isTooMuch = shown.length >= MAX_REVIEW_ITEMS || bytes + Buffer.byteLength(block) > MAX_REVIEW_BYTES
    if (item.draft.length > MAX_DRAFT_CHARS) apart.push({ ...item, say: 'its text is too long for this sheet' })
    else if (isTooMuch) apart.push({ ...item, say: 'the sheet is full; ask for the next one when this is done' })
    else {
      bytes += Buffer.byteLength(block)
      shown.push(item)
      blocks.push(block)
    }
  }
  const text = `${[...headBlocks(facts, shown.length), ...blocks, ...apartBlocks(apart)].join('\n\n')}\n`
  return { text, digest: reviewDigest(text), shown }
}

/** The sheet when nothing in it is left to decide. It has no boxes: nobody ticks what has just appeared. */
export function renderReviewDone(facts: { readonly at: string; readonly waiting: number }): ReviewSheet {
  const more = facts.waiting === 0 ? 'Nothing else waits for you.' : `${drafts(facts.waiting)} waiting for you.`
  const text = `${[SHEET_MARK, '# Review', `Everything in this sheet is decided. ${more}`, howToAsk(facts.at)].join('\n\n')}\n`
  return { text, digest: reviewDigest(text), shown: [] }
}

/** Whether a note asks for a sheet. */
export function asksForReview(text: string): boolean {
  return text.replace(/^\ufeff/, '').trim() === ''
}

/** Whether a note is a sheet, whatever was done to it; any other note of that name is the person's own. */
export function isReview(text: string): boolean {
  return linesOf(text)[0] === SHEET_MARK
}

/** The ids that have a box. */
export function itemsInReview(text: string): TaskId[] {
  return tickLines(linesOf(text)).map(({ taskId }) => taskId)
}

/** The ids whose box is ticked. What counts is the box between its marks, and only in a sheet that is as it was written. */
export function ticksInReview(text: string): TaskId[] {
  const lines = linesOf(text)
  return tickLines(lines).flatMap(({ taskId, index }) => (TICK.exec(lines[index] ?? '')?.[1] === ' ' ? [] : [taskId]))
}

/**
 * The digest of a sheet but for its ticks, and for what editors change unasked: line ends, blanks at the end of a line
 * or of the note, a byte order mark.
 */
export function reviewDigest(text: string): string {
  const lines = linesOf(text)
  for (const { index } of tickLines(lines)) lines[index] = (lines[index] ?? '').replace(TICK, '- [ ] ')
  return domainDigest('countersign/review/v1', lines.join('\n').trimEnd())
}

function linesOf(text: string): string[] {
  return text
    .toWellFormed()
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.replace(/(?<![ \t])[ \t]+$/, ''))
}

/** Every box that stands between its two marks. */
function tickLines(lines: readonly string[]): { taskId: TaskId; index: number }[] {
  return lines.flatMap((line, at) => {
    const taskId = TICK_MARK.exec(line)?.[1] ?? ''
    const isBox = isTaskId(taskId) && TICK.test(lines[at + 1] ?? '') && lines[at + 2] === TICK_END
    return isBox ? [{ taskId, index: at + 1 }] : []
  })
}

function byRiskAndAge(a: ReviewItem, b: ReviewItem): number {
  return b.risks - a.risks || (a.at < b.at ? -1 : a.at > b.at ? 1 : a.path < b.path ? -1 : 1)
}

function headBlocks(facts: ReviewFacts, count: number): string[] {
  const what =
    count === 0
      ? 'Nothing waits for you that could be approved here.'
      : `${drafts(count)} below, the riskiest and oldest first. Tick *Approve* and save: each is signed by itself, as if you had ticked it in its own file. To reject or change one, open its file.`
  return [
    SHEET_MARK,
    '# Review',
    ...(facts.reason ? [`> **A new sheet:** ${words(facts.reason, 600)}`] : []),
    what,
    howToAsk(facts.at),
  ]
}

function howToAsk(at: string): string {
  const minute = `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`
  return `*Written ${minute}; it does not change under your eyes. For a new one, delete everything in this note and save, or say \`countersign review\`. Only ticks count here: after any other change nothing of it does.*`
}

function itemBlock(item: ReviewItem, number: number): string {
  const original = item.original === '' ? [] : ['**What it answers** (how it begins)', quotedOriginal(item.original)]
  return [
    `## ${number}. ${words(item.title, 200) || 'untitled'}`,
    [
      `<!-- countersign:tick ${item.taskId} -->`,
      `- [ ] Approve ${shortId(item.taskId)}: ${words(item.brief, 200)}`,
      TICK_END,
    ].join('\n'),
    `[Open its file](${encodeURI(item.path)})`,
    item.card.replaceAll('<!--', '‹!--'),
    `**The text that goes out**${/.{97}/.test(item.draft) ? ` (${CONTINUED}continues a long line)` : ''}`,
    quoteShown(item.draft),
    ...original,
  ].join('\n\n')
}

/** The section holds the quote with its fence. */
function quotedOriginal(original: string): string {
  return quoteInert(original.replace(/^`{3,}(text)?$/gm, '').trim(), { maxChars: MAX_ORIGINAL_CHARS })
}

function apartBlocks(apart: readonly ReviewApart[]): string[] {
  if (apart.length === 0) return []
  const more = apart.length - MAX_APART
  const lines = apart
    .slice(0, MAX_APART)
    .map(({ path, title, say }) => `- [${words(title, 120) || 'untitled'}](${encodeURI(path)}): ${words(say, 300)}`)
  return ['## To be looked at in their own files', [...lines, ...(more > 0 ? [`- … and ${more} more`] : [])].join('\n')]
}

/** A stranger's words in a line of ours. */
function words(text: string, max: number): string {
  return unlinked(plainMarkdown(text, max))
}

function drafts(count: number): string {
  return count === 1 ? 'One draft is' : `${count} drafts are`
}
