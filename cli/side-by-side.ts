import { diffLines } from 'diff'
import { terminalText } from './table.ts'

/** Equal lines shown around a difference. */
const CONTEXT = 3
const NARROWEST = 60

interface Row {
  readonly left: string
  readonly mark: ' ' | '|' | '<' | '>'
  readonly right: string
}

/**
 * Two texts beside each other: `|` stands between lines that differ, `<` and `>` where only one side has a line. Equal
 * stretches are shortened. Safe for a terminal whatever the texts hold.
 */
export function sideBySide(left: string, right: string, headings: readonly [string, string], width: number): string {
  const column = Math.floor((Math.max(width, NARROWEST) - 3) / 2)
  const cell = (text: string) => terminalText(text.replaceAll('\t', '  '), column).padEnd(column)
  const line = ({ left: one, mark, right: other }: Row) => `${cell(one)} ${mark} ${cell(other)}`.trimEnd()
  const [leftHeading, rightHeading] = headings
  return [
    line({ left: leftHeading, mark: ' ', right: rightHeading }),
    `${'─'.repeat(column)}   ${'─'.repeat(column)}`,
    ...shortened(rowsOf(left, right)).map((one) => (typeof one === 'number' ? `    … ${sayEqual(one)} …` : line(one))),
  ].join('\n')
}

function rowsOf(left: string, right: string): Row[] {
  const rows: Row[] = []
  let removed: string[] = []
  for (const change of diffLines(left, right)) {
    const lines = change.value.replace(/\n$/, '').split('\n')
    if (change.removed) removed = lines
    else if (change.added) {
      rows.push(...paired(removed, lines))
      removed = []
    } else {
      rows.push(...paired(removed, []), ...lines.map((text): Row => ({ left: text, mark: ' ', right: text })))
      removed = []
    }
  }
  return [...rows, ...paired(removed, [])]
}

function paired(left: readonly string[], right: readonly string[]): Row[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at): Row => {
    const [one, other] = [left[at], right[at]]
    return { left: one ?? '', mark: one === undefined ? '>' : other === undefined ? '<' : '|', right: other ?? '' }
  })
}

/** Only the neighbourhood of differences; a number stands for so many equal lines left out. */
function shortened(rows: readonly Row[]): (Row | number)[] {
  const isNear = rows.map((_, at) => rows.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(isDifference))
  const shown: (Row | number)[] = []
  for (const [at, row] of rows.entries()) {
    const last = shown.at(-1)
    if (isNear[at]) shown.push(row)
    else if (typeof last === 'number') shown[shown.length - 1] = last + 1
    else shown.push(1)
  }
  return shown
}

function isDifference({ mark }: Row): boolean {
  return mark !== ' '
}

function sayEqual(count: number): string {
  return count === 1 ? '1 equal line' : `${count} equal lines`
}
