import { revealInvisible } from './quote.ts'
import { codePointOf } from './visible-text.ts'

/** Turns the reading direction: a reader sees another order than the one that is sent. */
const BIDIRECTIONAL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu
const INVISIBLE = /(?![\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu
/** Where such characters do what they are for: in emoji, and between letters that join in writing. */
const HONEST =
  /(?<=[\p{Extended_Pictographic}\d#*])\ufe0f|(?<=\ufe0f|[\p{Extended_Pictographic}\p{Emoji_Modifier}])\u200d(?=\p{Extended_Pictographic})|(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Gujarati}\p{Script=Gurmukhi}\p{Script=Sinhala}\p{M}])[\u200c\u200d](?=\p{L})/gu
/** Letters that look like the plain ones but are others: phonetic, enclosed, mathematical. */
const DRESSED = /[\u0250-\u02af\u24b6-\u24e9\u{1d400}-\u{1d7ff}\u{1f130}-\u{1f149}]/gu
/** So are these, but for texts of East Asia, where they are usual. */
const WIDE = /[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]/gu
const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]/u

const WORD = /[\p{L}\p{M}\p{N}]+/gu
const SCRIPTS = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Georgian', 'Cherokee', 'Hebrew', 'Arabic', 'Coptic', 'Lisu']
const SCRIPT_PATTERNS = SCRIPTS.map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'u')] as const)
/** Greek letters that stand for units and sizes beside Latin ones. */
const SYMBOLS = new Set('ΩμΔπσλ')
/** Letters of other scripts that can be taken for Latin ones. */
const LOOK_ALIKE = new Set('аеорсухіјѕԁһԛԝӏѵүАВЕКМНОРСТХІЈЅҮοανρυικχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսոցհ')

const NAMES: Readonly<Record<number, string>> = {
  0: 'null',
  7: 'bell',
  8: 'backspace',
  13: 'carriage return',
  27: 'escape',
  127: 'delete',
  173: 'soft hyphen',
  847: 'grapheme joiner',
  1564: 'Arabic letter mark',
  4447: 'Hangul filler',
  4448: 'Hangul filler',
  6158: 'Mongolian vowel separator',
  8203: 'zero width space',
  8204: 'zero width non-joiner',
  8205: 'zero width joiner',
  8206: 'left-to-right mark',
  8207: 'right-to-left mark',
  8234: 'left-to-right embedding',
  8235: 'right-to-left embedding',
  8236: 'end of direction',
  8237: 'left-to-right override',
  8238: 'right-to-left override',
  8288: 'word joiner',
  8294: 'left-to-right isolate',
  8295: 'right-to-left isolate',
  8296: 'first strong isolate',
  8297: 'end of isolate',
  10240: 'Braille blank',
  12644: 'Hangul filler',
  65279: 'byte order mark',
  65440: 'Hangul filler',
}
const MAX_NAMED = 4
const MAX_WORDS = 5
const MAX_WORD_CHARS = 40

/**
 * What of a text a reader cannot see, or would take for something else: words with code points that follow "has", a few
 * at most. They quote the text and are as hostile, but show nothing unseen. Never throws.
 */
export function unusualCharacters(text: string): string[] {
  const honest = text.toWellFormed().replace(HONEST, '')
  const unseen = [
    counted(honest, BIDIRECTIONAL, 'that turns the reading direction', 'that turn the reading direction'),
    counted(honest, CONTROL, 'that controls a program', 'that control a program'),
    counted(honest, INVISIBLE, 'that cannot be seen', 'that cannot be seen'),
    counted(honest, DRESSED, 'in another dress', 'in another dress'),
    EAST_ASIAN.test(honest) ? undefined : counted(honest, WIDE, 'in another dress', 'in another dress'),
  ].filter((words) => words !== undefined)
  const odd = oddWords(honest)
  const more = odd.length > MAX_WORDS ? [`${odd.length - MAX_WORDS} more words of this kind`] : []
  return [...unseen, ...odd.slice(0, MAX_WORDS), ...more]
}

/** How often, which, and the word in which the first one stands. */
function counted(text: string, pattern: RegExp, single: string, plural: string): string | undefined {
  const found = [...text.matchAll(pattern)]
  const [first] = found
  if (!first) return undefined
  const kinds = [...new Set(found.map(([character]) => character))]
  const named = `${kinds.slice(0, MAX_NAMED).map(nameOf).join(', ')}${kinds.length > MAX_NAMED ? ', and more' : ''}`
  const what = found.length === 1 ? `a character ${single}` : `${found.length} characters ${plural}`
  const word = wordAround(text, first.index, first[0].length)
  return `${what} (${named})${word === '' ? '' : `, first in “${word}”`}`
}

function wordAround(text: string, at: number, length: number): string {
  const before = /[^\s]*$/u.exec(text.slice(Math.max(0, at - MAX_WORD_CHARS / 2), at))?.[0] ?? ''
  const after = /^[^\s]*/u.exec(text.slice(at + length, at + length + MAX_WORD_CHARS / 2))?.[0] ?? ''
  return before + after === '' ? '' : revealInvisible(`${before}${text.slice(at, at + length)}${after}`)
}

function nameOf(character: string): string {
  const point = character.codePointAt(0) ?? 0
  const name =
    NAMES[point] ??
    (point >= 0xe0000 && point <= 0xe007f ? 'tag' : undefined) ??
    ((point >= 0xfe00 && point <= 0xfe0f) || (point >= 0xe0100 && point <= 0xe01ef) ? 'variation selector' : undefined)
  const shown = name ?? (/\p{L}|\p{N}/u.test(character) ? character : undefined)
  return shown === undefined ? codePointOf(character) : `${shown} ${codePointOf(character)}`
}

/** Words of mixed scripts, and words that pass as Latin ones in a text that is otherwise Latin; each once. */
function oddWords(text: string): string[] {
  const words = [...new Set(text.match(WORD) ?? [])].filter((word) => /\p{L}/u.test(word))
  const isLatin = words.some((word) => word.length > 2 && /^[\p{Script=Latin}\p{M}\p{N}]+$/u.test(word))
  /** Scripts in which the text is honestly written: they have a word that nobody takes for Latin. */
  const spoken = new Set(words.filter((word) => !isMasked(word)).flatMap((word) => scriptsOf(word)))
  return words.flatMap((word) => {
    const scripts = scriptsOf(word)
    if (scripts.length > 1 && !strangersOf(word).every((one) => SYMBOLS.has(one)))
      return [`${quoted(word)}, which mixes ${listed(scripts)} letters (${strangers(word)})`]
    const [only] = scripts
    const isDisguise = scripts.length === 1 && only !== undefined && only !== 'Latin' && isMasked(word)
    return isDisguise && isLatin && !spoken.has(only) && word.length > 1
      ? [`${quoted(word)}, written in ${only} letters that look like Latin ones (${strangers(word)})`]
      : []
  })
}

function scriptsOf(word: string): string[] {
  return SCRIPT_PATTERNS.filter(([, pattern]) => pattern.test(word)).map(([name]) => name)
}

function isMasked(word: string): boolean {
  return [...word].every((one) => LOOK_ALIKE.has(one) || !/\p{L}/u.test(one)) && /\p{L}/u.test(word)
}

function strangersOf(word: string): string[] {
  return [...new Set(word)].filter((one) => /\p{L}/u.test(one) && !/\p{Script=Latin}/u.test(one))
}

function strangers(word: string): string {
  const foreign = strangersOf(word)
  const more = foreign.length > MAX_NAMED ? ', and more' : ''
  return (
    foreign
      .slice(0, MAX_NAMED)
      .map((one) => `${one} ${codePointOf(one)}`)
      .join(', ') + more
  )
}

function quoted(word: string): string {
  const shown = [...word]
  const cut = shown.length > MAX_WORD_CHARS ? `${shown.slice(0, MAX_WORD_CHARS).join('')}…` : word
  return `“${revealInvisible(cut)}”`
}

function listed(names: readonly string[]): string {
  return names.length < 3 ? names.join(' and ') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
