/** What begins a line of Markdown: a list item, a quote, a heading. It stays outside the strokes. */
const BEGINNING = /^(?:\s*(?:[-*+>]|\d{1,3}[.)]|#{1,6})(?=\s))*\s*/
const STRUCK = /^~~.*~~$/

/** The notes that wait for an answer: without the lines that are struck through (`~~Shorter, please.~~`). */
export function openNotes(notes: string): string {
  return linesOf(notes)
    .filter((line) => !isStruck(line))
    .join('\n')
    .trim()
}

/**
 * The notes with every line struck through, and so are lines of `asked` that are not there any more: nothing that the
 * person wrote is lost on its way through other hands.
 */
export function answeredNotes(notes: string, asked: string): string {
  return withMissing(linesOf(notes).map(strike), linesOf(asked).map(strike))
}

/** The notes with the lines of `asked` that are not there any more. */
export function restoredNotes(notes: string, asked: string): string {
  return withMissing(linesOf(notes), linesOf(asked))
}

function withMissing(lines: readonly string[], wanted: readonly string[]): string {
  const missing = wanted.filter((line) => line.trim() !== '' && !lines.includes(line))
  return [...missing, ...lines].join('\n').trim()
}

function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trimEnd())
}

function strike(line: string): string {
  const [beginning = ''] = BEGINNING.exec(line) ?? []
  const words = line.slice(beginning.length)
  return words === '' || isStruck(line) ? line : `${beginning}~~${words}~~`
}

function isStruck(line: string): boolean {
  const [beginning = ''] = BEGINNING.exec(line) ?? []
  return STRUCK.test(line.slice(beginning.length).trimEnd())
}
