/** A place in a text that an editor or viewer of Markdown would not show as it stands. `line` counts from 1. */
export interface HiddenMarkup {
  readonly line: number
  /** The line itself, shortened. */
  readonly text: string
  /** What it is, as words that follow "contains". */
  readonly what: string
}

const MAX_SHOWN = 60
/** What opens the line of a quote or of a list. */
const CONTAINER = /^[ \t>*+\-\d.)]*/
/** Anywhere in the text. Autolinks (`<https://…>`, `<a@b.example>`) show what they are and are no tags. */
const INLINE: readonly (readonly [RegExp, string])[] = [
  [/<[!?]/, 'an HTML comment'],
  [/<\/?[a-z][a-z0-9-]*(?=[\s/>]|$)/im, 'an HTML tag'],
  [/%%/, 'a comment between %%'],
  [/\]\(/, 'a link that hides its address'],
  [/\^\[/, 'a footnote'],
  [/\$\$/, 'a formula'],
  [/`[ \t]*\$?=/, 'a query of a plugin'],
]
/** At the beginning of a line, whatever container it stands in. */
const LEADING: readonly (readonly [RegExp, string])[] = [
  // A label may go over several lines.
  [/^\[(?:[^[\]\\]|\\.){1,999}\]:/, 'a link definition'],
  // Its kind is not shown, and one that is folded shows no more than its first line.
  [/^\[![^\]\n]{1,100}\]/, 'a callout'],
  // Only the fence is drawn; what stands behind it is not.
  [/^(?:```|~~~)[`~]*[ \t]*[^\s`~]/, 'words behind a code fence'],
]
/** Cells beyond the columns of a table's head are dropped. */
const TABLE_RULE = /^\|?:?-+:?(?:\|:?-+:?)*\|?$/
/** What a formula hides words with: commands (`\\phantom{…}`) and comments. Without them it shows its letters. */
const HIDES_IN_FORMULA = /[\\%]/
const BLOCK_NAME = /[ \t]\^[a-z0-9-]+$/i

/**
 * The first place of a draft that editors hide: what a person does not see, they did not approve. Strict on purpose:
 * a mail is plain text, and each of these can be written otherwise.
 */
export function hiddenMarkup(text: string): HiddenMarkup | undefined {
  const lines = text.split('\n')
  const inline = INLINE.flatMap(([pattern, what]) => {
    const match = pattern.exec(text)
    return match ? [{ line: text.slice(0, match.index).split('\n').length, what }] : []
  })
  const found = [...inline, ...formulas(text), ...lines.flatMap((_line, index) => lineMarkup(lines, index))]
  const first = found.toSorted((a, b) => a.line - b.line)[0]
  return first && { ...first, text: (lines[first.line - 1] ?? '').trim().slice(0, MAX_SHOWN) }
}

/** Between two dollar signs that no amount of money explains: no blank inside them, no digit behind. */
function formulas(text: string): { line: number; what: string }[] {
  const parts = text.split('$')
  let at = 0
  for (const [index, part] of parts.entries()) {
    const isBetween = index > 0 && index < parts.length - 1
    if (isBetween && HIDES_IN_FORMULA.test(part) && part.trim() === part && !/^\d/.test(parts[index + 1] ?? ''))
      return [{ line: text.slice(0, at).split('\n').length, what: 'a formula' }]
    at += part.length + 1
  }
  return []
}

function lineMarkup(lines: readonly string[], index: number): { line: number; what: string }[] {
  const one = lines[index] ?? ''
  const begin = one.replace(CONTAINER, '')
  const leading = begin.startsWith('[') ? [begin, ...lines.slice(index + 1, index + 20)].join('\n') : begin
  const what =
    LEADING.find(([pattern]) => pattern.test(leading))?.[1] ??
    (one.includes('|') && TABLE_RULE.test(one.replace(/[ \t>]/g, '')) ? 'a table' : undefined) ??
    (BLOCK_NAME.test(one.trimEnd()) ? 'a block name' : undefined)
  return what === undefined ? [] : [{ line: index + 1, what }]
}

/** In words for the person. */
export function sayHidden({ line, text, what }: HiddenMarkup): string {
  return `Line ${line} of the draft (${text}) contains ${what}: your editor may hide part of it, but it would be sent. Write it as plain words or remove it.`
}
