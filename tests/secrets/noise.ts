import { createHash } from 'node:crypto'

const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = LOWER.toUpperCase()
const ALPHABETS = {
  digits: DIGITS,
  hex: `${DIGITS}abcdef`,
  lower: LOWER,
  alnum: UPPER + LOWER + DIGITS,
  base64: `${UPPER}${LOWER}${DIGITS}+/`,
  url: `${UPPER}${LOWER}${DIGITS}-_`,
  base32: `${UPPER}234567`,
  bech32: '023456789ACDEFGHJKLMNPQRSTUVWXYZ',
  base58: '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
}

/** Characters that look random and are the same at each run: no real secret stands in this repository. */
export function noise(length: number, alphabet: keyof typeof ALPHABETS = 'alnum', seed = ''): string {
  const letters = ALPHABETS[alphabet]
  let made = ''
  for (let block = 0; made.length < length; block++) {
    const bytes = createHash('sha256').update(`${seed}/${alphabet}/${length}/${block}`).digest()
    made += [...bytes].map((byte) => letters[byte % letters.length]).join('')
  }
  return made.slice(0, length)
}

/** Put together at run time, so that no scanner takes this file for a leak. */
export function joined(...parts: readonly string[]): string {
  return parts.join('')
}

/** Lines of `width`, as PEM and MIME have them. */
export function wrapped(text: string, width: number, prefix = ''): string {
  return (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).map((line) => prefix + line).join('\n')
}
