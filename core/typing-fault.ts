import { codePointOf } from './visible-text.ts'

/**
 * Characters that editors and phones put in the place of those that YAML knows, and what they are. Quotes count where a
 * key or a value begins: further on they are part of a text.
 */
const TYPED_FOR_YOU: readonly (readonly [pattern: RegExp, what: string, instead: string])[] = [
  [/(?:^\s*|[:-]\s+|[[{,]\s*)([“”„‟«»″])/u, 'a typographic quote', 'use " instead'],
  [/(?:^\s*|[:-]\s+|[[{,]\s*)([‘’‚‛′])/u, 'a typographic quote', "use ' instead"],
  [/^\s*-?\s*[\p{L}\p{N}_]+\s*(：)/u, 'a wide colon', 'use : instead'],
  [/^[ \t]*([\u00a0\u2000-\u200a\u202f\u3000])/u, 'a blank that is none', 'use plain spaces'],
  [/[:-](\u00a0|[\u2000-\u200a\u202f\u3000])/u, 'a blank that is none', 'use plain spaces'],
  [/^\s*([–—−‐‑])\s/u, 'a dash that is no hyphen', 'use - instead'],
]
const ONLY_DASHES = /^[-‐‑‒–—―−]{1,6}[ \t]*$/u

/**
 * What an editor may have typed into front matter unasked, the first such line, in words for the person; undefined when
 * there is nothing of the kind. For a file that could not be read: none of it is wrong by itself.
 */
export function typingFault(frontText: string): string | undefined {
  for (const [index, line] of frontText.split('\n').entries()) {
    for (const [pattern, what, instead] of TYPED_FOR_YOU) {
      const found = pattern.exec(line)
      if (!found) continue
      const sign = found[1] ?? found[0]
      const shown = /\s/u.test(sign) ? codePointOf(sign) : `${sign} ${codePointOf(sign)}`
      return `line ${index + 2}, counted from the opening ---, has ${what} (${shown}): ${instead}`
    }
  }
  return undefined
}

/** Why a file that should begin with front matter does not seem to; undefined when it is not even near. */
export function fenceFault(text: string): string | undefined {
  const lines = text.split('\n', 500)
  if (/\r(?!\n)/.test(text.slice(0, 5_000))) return 'its lines end as on an old Mac; save it with plain line ends'
  const [first = ''] = lines
  if (first !== '---' && ONLY_DASHES.test(first))
    return `line 1 must be three plain hyphens and nothing else, and is ${sayDashes(first)}`
  if (first !== '---') return undefined
  const close = lines.findIndex((line, index) => index > 0 && ONLY_DASHES.test(line))
  return close < 0
    ? 'the line of three hyphens that ends the front matter is missing'
    : `line ${close + 1} must be three plain hyphens and nothing else, and is ${sayDashes(lines[close] ?? '')}`
}

function sayDashes(line: string): string {
  const odd = [...line].find((one) => one !== '-')
  if (odd === undefined) return `${line.length} of them`
  return /[ \t]/.test(odd) ? 'followed by blanks' : `written with ${odd} ${codePointOf(odd)}`
}
