import { type Change, diffLines, diffWordsWithSpace } from 'diff'
import type { ComparedLine, ComparedPart } from '#core/ports/compare.ts'

/** Edits after which a comparison is given up: its cost grows with their number, whoever wrote the texts. */
const MAX_LINE_EDITS = 1_000
const MAX_WORD_EDITS = 300
/** Two lines with less in common, as a share of the longer, are one line gone and one new. */
const LEAST_COMMON = 0.4

/** Compares line by line, and the words within lines that have most of them in common. */
export function compareTexts(before: string, after: string): ComparedLine[] {
  const [left, right] = [`${before}\n`, `${after}\n`]
  const changes = diffLines(left, right, { maxEditLength: MAX_LINE_EDITS }) ?? [
    { removed: true, added: false, value: left, count: 1 },
    { removed: false, added: true, value: right, count: 1 },
  ]
  const compared: ComparedLine[] = []
  let removed: string[] = []
  for (const change of changes) {
    const lines = change.value.replace(/\n$/, '').split('\n')
    if (change.removed) {
      removed = lines
      continue
    }
    compared.push(...paired(removed, change.added ? lines : []))
    removed = []
    if (!change.added) compared.push(...lines.map((text) => whole('same', text)))
  }
  return [...compared, ...paired(removed, [])]
}

function paired(removed: readonly string[], added: readonly string[]): ComparedLine[] {
  const lines: ComparedLine[] = []
  for (let at = 0; at < Math.max(removed.length, added.length); at++) {
    const [before, after] = [removed[at], added[at]]
    const parts = before !== undefined && after !== undefined ? commonParts(before, after) : undefined
    if (parts) lines.push({ kind: 'changed', parts })
    else {
      if (before !== undefined) lines.push(whole('removed', before))
      if (after !== undefined) lines.push(whole('added', after))
    }
  }
  return lines
}

function commonParts(before: string, after: string): ComparedPart[] | undefined {
  const changes = diffWordsWithSpace(before, after, { maxEditLength: MAX_WORD_EDITS })
  const parts = changes?.map(partOf)
  const common = parts?.filter(({ kind }) => kind === 'same').reduce((sum, { text }) => sum + text.trim().length, 0)
  return (common ?? 0) >= LEAST_COMMON * Math.max(before.length, after.length) ? parts : undefined
}

function partOf({ added, removed, value }: Change): ComparedPart {
  return { kind: added ? 'added' : removed ? 'removed' : 'same', text: value }
}

function whole(kind: 'same' | 'removed' | 'added', text: string): ComparedLine {
  return { kind, parts: [{ kind, text }] }
}
