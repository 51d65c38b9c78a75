import type { CardRow } from './card-text.ts'
import type { ComparedLine, ComparedPart } from './ports/compare.ts'
import { quoteShown } from './quote.ts'

/** What the card tells of a draft that is not the first of its task. */
export interface DraftChanges {
  /** Counts from 1. */
  readonly revision: number
  /** The notes that it was asked for with; undefined when nobody asked. */
  readonly answers: string | undefined
  /** It was asked for, and the drafter wrote what it had written before. */
  readonly isUnanswered: boolean
  /** From the revision before, as it was shown last, to the draft as it stands. */
  readonly lines: readonly ComparedLine[]
}

/** Equal lines shown around a difference. */
const CONTEXT = 1
const MAX_LINES = 80
const MAX_DIFF_CHARS = 8_000
const MAX_NOTES_CHARS = 2_000

export function revisionRows(changes: DraftChanges | undefined): CardRow[] {
  return changes ? [['Revision', String(changes.revision)]] : []
}

/** Blocks of the card: the notes that were answered, and what changed. Inert and bounded whatever the texts hold. */
export function changesBlocks(changes: DraftChanges | undefined): string[] {
  if (!changes) return []
  const { answers, lines, isUnanswered, revision } = changes
  const before = `revision ${revision - 1}`
  const isEqual = lines.every(({ kind }) => kind === 'same')
  const legend = '(`-` gone, `+` new, `~` other words: `[-gone-]`, `{+new+}`)'
  return [
    ...(answers === undefined ? [`> Another draft came in place of ${before}.`] : []),
    ...(isUnanswered ? [UNANSWERED] : []),
    ...(answers ? [isUnanswered ? '**Your notes**' : '**It answers your notes**', notesBlock(answers)] : []),
    ...(isEqual
      ? [`The text is that of ${before}.`]
      : [`**What changed since ${before}** ${legend}`, diffBlock(lines)]),
  ]
}

const UNANSWERED =
  '> ⚠ The drafter wrote the same again, so what you asked for is still open: edit the text yourself, or ask once more.'

function notesBlock(notes: string): string {
  const shown = notes.length > MAX_NOTES_CHARS ? `${notes.slice(0, MAX_NOTES_CHARS)}…` : notes
  // Indented, so that no line of it is taken for one of the card's own.
  return quoteShown(indented(shown))
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n')
}

function diffBlock(lines: readonly ComparedLine[]): string {
  const isNear = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ kind }) => kind !== 'same'),
  )
  const shown: string[] = []
  let chars = 0
  for (const [at, line] of lines.entries()) {
    if (!isNear[at]) {
      if (isNear[at - 1] || at === 0) shown.push('  …')
      continue
    }
    const text = lineOf(line)
    chars += text.length
    if (shown.length >= MAX_LINES || chars > MAX_DIFF_CHARS) {
      const left = lines.slice(at).filter(({ kind }) => kind !== 'same').length
      shown.push(`  … ${left} more lines that differ: compare the text itself`)
      break
    }
    shown.push(text)
  }
  return quoteShown(shown.join('\n'), 'diff')
}

const SIGNS = { same: '  ', removed: '- ', added: '+ ', changed: '~ ' } as const

function lineOf({ kind, parts }: ComparedLine): string {
  const text = kind === 'changed' ? parts.map(partOf).join('') : parts.map((part) => part.text).join('')
  return `${SIGNS[kind]}${text}`.trimEnd()
}

function partOf({ kind, text }: ComparedPart): string {
  if (kind === 'same') return text
  return kind === 'removed' ? `[-${text}-]` : `{+${text}+}`
}
