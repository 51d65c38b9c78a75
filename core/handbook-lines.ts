/** A line of the owner's that was not understood. `line` counts from 1. */
export interface RuleProblem {
  readonly line: number
  readonly text: string
  readonly say: string
}

export const MAX_PROBLEMS = 20
export const MAX_SHOWN_CHARS = 120
/** `core/triage-rules.ts` reads those, wherever they stand. */
export const TRIAGE_HEADING = /^\W*(?:mail )?(?:triage|sorting)(?: rules)?\W*$/i
export const NO_ITEM = 'it is no line of a list: begin it with “- ”, or put it between <!-- and -->'

/** One sentence for a problem of the handbook. */
export function sayRuleProblem(problem: RuleProblem): string {
  return sayProblemIn('Company_Handbook.md', problem)
}

export function sayProblemIn(note: string, { line, text, say }: RuleProblem): string {
  return `${note}, line ${line}${text ? ` (${text})` : ''}: ${say}`
}

/** The lines with HTML comments blanked, so that line numbers stay. */
export function withoutComments(text: string): { lines: string[]; isCommentOpen: boolean } {
  const plain = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n')
  const kept: string[] = []
  let at = 0
  for (let open = plain.indexOf('<!--'); open >= 0; open = plain.indexOf('<!--', at)) {
    const close = plain.indexOf('-->', open + 4)
    if (close < 0) return { lines: (kept.join('') + plain.slice(at)).split('\n'), isCommentOpen: true }
    kept.push(plain.slice(at, open), plain.slice(open, close).replace(/[^\n]/g, ''))
    at = close + 3
  }
  return { lines: (kept.join('') + plain.slice(at)).split('\n'), isCommentOpen: false }
}

/**
 * What stands in the sections of that heading, subsections included but for those that others read (`except`); a line that
 * only goes on belongs to the one before.
 */
export function linesUnder(
  heading: RegExp,
  lines: readonly string[],
  except?: RegExp,
): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  let level = 0
  let others = 0
  for (const [index, line] of lines.entries()) {
    const read = /^(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line)
    if (read) {
      const depth = read[1]?.length ?? 0
      const title = read[2] ?? ''
      if (heading.test(title)) level = depth
      else if (depth <= level) level = 0
      if (except?.test(title)) others = depth
      else if (depth <= others) others = 0
      continue
    }
    if (level === 0 || others > 0 || line.trim() === '') continue
    const last = found.at(-1)
    if (/^\s{2,}(?![-*+]\s)\S/.test(line) && last && lines[index - 1]?.trim()) last.text += ` ${line.trim()}`
    else found.push({ line: index + 1, text: line.trim() })
  }
  return found
}

/** An item of a list as it is meant: the mark, emphasis, kinds of dashes and blanks and the last dot away. */
export function plainItem(written: string): string | undefined {
  return /^(?:[-*+•]|\d{1,3}[.)])\s+(?:\[.\]\s+)?(.+)$/
    .exec(written)?.[1]
    ?.normalize('NFKC')
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[*`]/g, '')
    .replace(/\s+/g, ' ')
    .replace(/[\s.]+$/, '')
}
