import { brokenMarks, revealInvisible, unlinked } from './quote.ts'

/** One line of the card's table: what it is, and its value as Markdown that is safe to show. */
export type CardRow = readonly [name: string, value: string]

/** Inline code that begins so is a program to a plugin of Obsidian (Dataview), blanks before it or not. */
const INLINE_QUERY = /^\s*\$?=/

/** Text from outside as inert inline code; what cannot be seen is shown by its code point. */
export function code(text: string): string {
  const shown = brokenMarks(revealInvisible(text)).replace(INLINE_QUERY, (sign) => `⟦${sign.trim()}⟧`)
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map((run) => run[0].length))
  const fence = '`'.repeat(longest + 1)
  return longest > 0 ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`
}

/** Text from outside in running prose: markup characters escaped, line breaks folded, invisible characters shown. */
export function plain(text: string): string {
  return unlinked(revealInvisible(text.replace(/\s+/g, ' ')).replace(/[\\`*_[\]<>!#|{}%$~=&]/g, '\\$&'))
}
