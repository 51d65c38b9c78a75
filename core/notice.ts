import { plainMarkdown } from './quote.ts'

const OPEN = '<!-- countersign:notice -->'
const CLOSE = '<!-- countersign:/notice -->'
const BLOCK = new RegExp(`^\\ufeff?${OPEN}\\r?\\n[\\s\\S]*?${CLOSE}\\r?\\n(?:\\r?\\n)?`)

/**
 * A file that cannot be read as a task, with an explanation before everything in it: what the person wrote stays below
 * to the last byte. Saying something else replaces the explanation; saying the same again changes nothing.
 */
export function withNotice(source: string, say: string): string {
  return noted(source, [
    `> **Countersign cannot use this file as it stands.** ${plainMarkdown(say, 600)}`,
    '>',
    '> Nothing was executed and nothing is lost: your text stands below, unchanged. Correct it and save, or move the',
    '> file to Rejected. This note goes away by itself.',
  ])
}

/** The same for a file whose task was done, and which cannot say so itself. */
export function withDoneNotice(source: string, say: string): string {
  const lines = [`> **This was done.** ${plainMarkdown(say, 600)}`, '>', '> The text stands below, unchanged.']
  return noted(source, lines)
}

function noted(source: string, lines: readonly string[]): string {
  return `${[OPEN, ...lines, CLOSE].join('\n')}\n\n${withoutNotice(source)}`
}

/** The file as the person wrote it. */
export function withoutNotice(source: string): string {
  return source.replace(BLOCK, '')
}
