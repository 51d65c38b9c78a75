/**
 * Text of strangers made inert. Editors and their plugins act on raw text (Templater even inside code fences), so a
 * quote is fenced *and* its active delimiters are broken; what a person could not see is shown by name.
 */

const LINE_BREAKS = /\r\n?|[\v\f\u0085\u2028\u2029]/g
const CONTROLS = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f]/g
/** Format characters (bidirectional, zero-width, tags), fillers, variation selectors, braille blank: nothing a reader sees. */
const INVISIBLE_RUN = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+/gu
const MAX_NAMED = 4
/** U+FE0F after a pictograph only chooses its colours; mail is full of it. */
const EMOJI_STYLE = /(?<=\p{Extended_Pictographic})\ufe0f/gu
const URL_SCHEME = /([a-z][a-z0-9+.-]{0,20}):\/\//gi
const BARE_SCHEME = /(javascript|vbscript|data|command|mailto|file):(?=\S)/gi
const RULE_LINE = /^[ \t>]*([-*_=])(?:[ \t]*\1){2,}[ \t]*$/
const CHECKBOX = /^([ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+)\[(.?)\]/u

/**
 * The text as a fenced `text` block that renders as nothing but characters: no line of it can close the fence, equal
 * one of our section marks, or be taken for a template, embed, comment, checkbox, rule or link. At most `maxChars`
 * characters of content, then a note that says how much is missing. Never throws.
 */
export function quoteInert(text: string, options: { maxChars: number }): string {
  const shown = inertLines(text.slice(0, options.maxChars)).slice(0, options.maxChars).toWellFormed()
  const isCut = text.length > options.maxChars || shown.length >= options.maxChars
  const note = isCut ? `\n[shortened: the original has ${text.length} characters]` : ''
  return fenced(shown.replace(/^\n+/, '').trimEnd() + note)
}

function fenced(body: string, language = 'text'): string {
  let longestRun = 0
  for (const [run] of body.matchAll(/`+/g)) longestRun = Math.max(longestRun, run.length)
  const fence = '`'.repeat(Math.max(3, longestRun + 1))
  return `${fence}${language}\n${body}\n${fence}`
}

/** Stands before what continues a line that was too long for a viewer that does not break lines. */
export const CONTINUED = '↪ '
const LONG_LINE = /.{60,96} (?=.)|.{96}(?=.)/gu

/**
 * A text that this machine is about to send, whole and letter for letter, as a fenced `text` block: only what could not
 * be seen is shown by name, what would end the fence, a comment or a template is broken, and long lines are continued,
 * since some viewers let them run out of sight.
 */
export function quoteShown(text: string, language: 'text' | 'diff' = 'text'): string {
  return fenced(shownWhole(text).replace(LONG_LINE, `$&\n${CONTINUED}`), language)
}

/** The same with its lines as long as they are: to be read back. */
export function quoteKept(text: string): string {
  return fenced(shownWhole(text))
}

function shownWhole(text: string): string {
  return brokenMarks(revealInvisible(text.replace(LINE_BREAKS, '\n')))
}

function inertLines(text: string): string {
  const visible = revealInvisible(text.replace(LINE_BREAKS, '\n')).replace(/`{9,}/g, '⟦backticks⟧')
  return breakDelimiters(visible)
    .split('\n')
    .map((line) => (RULE_LINE.test(line) ? '⟦rule⟧' : line.replace(CHECKBOX, '$1($2)')))
    .join('\n')
}

/** Shows what has no shape of its own as `⟦U+202E⟧` (long runs shortened) and drops control characters but tab and line feed. */
export function revealInvisible(text: string): string {
  return text
    .toWellFormed()
    .replace(CONTROLS, '')
    .replace(EMOJI_STYLE, '')
    .replace(INVISIBLE_RUN, (run) => {
      const characters = [...run]
      const named = characters.slice(0, MAX_NAMED).map((one) => `⟦${codePoint(one)}⟧`)
      const more = characters.length - MAX_NAMED
      return named.join('') + (more > 0 ? `⟦and ${more} more invisible characters⟧` : '')
    })
}

/** One trimmed line of at most `max` characters: white space collapsed, invisible characters shown, delimiters of templates and comments broken. */
export function oneLine(text: string, max: number): string {
  // Four times the limit is looked at, so that a line of blanks stays cheap and yet shows its words.
  const flat = breakDelimiters(
    revealInvisible(text.slice(0, max * 4).replace(LINE_BREAKS, ' '))
      .replace(/\s+/g, ' ')
      .trim(),
  )
  return flat.length <= max ? flat : `${flat.slice(0, max - 1).toWellFormed()}…`
}

/** Like `oneLine`, with every character that Markdown or HTML would act on escaped: for headings and lists of our own. */
export function plainMarkdown(text: string, max: number): string {
  return oneLine(text, max).replace(/[\\`*_[\]#!|<>~$&]/g, '\\$&')
}

/** What viewers know a bare address by: an ending that linkify-it takes for a domain's, the at sign, two slashes. */
const ADDRESS_SIGN =
  /(?<=[\p{L}\p{N}-])(?:\.(?=(?:[a-z]{2}|biz|com|edu|gov|net|org|pro|web|xxx|aero|asia|coop|info|museum|name|shop|рф|xn--[a-z0-9-]+)(?![\p{L}\p{N}-]))|@(?=[\p{L}\p{N}]))|:(?=\/\/)|\/(?=\/)/giu

/** Markdown in which a viewer that makes links of bare addresses (`acme.com`, `ana@acme.example`) finds none. */
export function unlinked(markdown: string): string {
  return markdown.replace(ADDRESS_SIGN, '\\$&')
}

/** Section marks and templates are acted on even inside a fence or inline code. */
export function brokenMarks(text: string): string {
  return text.replaceAll('<!--', '‹!--').replaceAll('-->', '--›').replaceAll('<%', '‹%').replaceAll('%>', '%›')
}

function breakDelimiters(text: string): string {
  return brokenMarks(text)
    .replace(/!(?=\[)/g, '! ')
    .replace(/([{}[%:])(?=\1)/g, '$1 ')
    .replace(URL_SCHEME, (_match, scheme: string) => `${defangedScheme(scheme)}[:]//`)
    .replace(BARE_SCHEME, '$1[:]')
}

function defangedScheme(scheme: string): string {
  return scheme.replace(/^http/i, 'hxxp')
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
