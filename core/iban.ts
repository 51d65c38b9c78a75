import { mod97 } from './sepa-text.ts'

/** How long an IBAN is in the countries where most of them are (ISO 13616); elsewhere the check digits decide. */
const LENGTHS: Readonly<Record<string, number>> = {
  ...{ AD: 24, AE: 23, AT: 20, BE: 16, BG: 22, CH: 21, CY: 28, CZ: 24, DE: 22, DK: 18, EE: 20, ES: 24, FI: 18 },
  ...{ FR: 27, GB: 22, GI: 23, GR: 27, HR: 21, HU: 28, IE: 22, IL: 23, IS: 26, IT: 27, LI: 21, LT: 20, LU: 20 },
  ...{ LV: 21, MC: 27, MT: 31, NL: 18, NO: 15, PL: 28, PT: 25, RO: 24, RS: 22, SA: 24, SE: 24, SI: 19, SK: 24 },
  ...{ SM: 27, TR: 26, UA: 29, BR: 29, KZ: 20, QA: 29 },
}
const MIN_LENGTH = 15
const MAX_LENGTH = 34
const MAX_FOUND = 50
/** Country and check digits, then up to thirty more, with whatever people put between them. */
const CANDIDATE = /(?<![\p{L}\p{N}])[A-Z]{2}[\s.-]{0,2}\d[\s.-]{0,2}\d(?:[\s./-]{0,2}[A-Z0-9]){11,34}/giu

export interface Ibans {
  /** Without blanks, in capitals, each once. */
  readonly valid: readonly string[]
  /** What is written like an IBAN of a known country, and fails its check digits. */
  readonly broken: readonly string[]
}

export function findIbans(text: string): Ibans {
  const valid = new Set<string>()
  const broken = new Set<string>()
  // Two side by side are one run of letters and digits: what follows the first is looked at again.
  const pattern = new RegExp(CANDIDATE)
  const flat = text.normalize('NFKC').replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
  for (let match = pattern.exec(flat); match && valid.size + broken.size < MAX_FOUND; match = pattern.exec(flat)) {
    const run = match[0].replace(/[^A-Za-z0-9]/g, '').toUpperCase()
    const found = ibanAtStart(run)
    if (found) valid.add(found)
    else {
      const length = LENGTHS[run.slice(0, 2)]
      if (length && run.length >= length && /^\d+$/.test(run.slice(4, 12))) broken.add(run.slice(0, length))
    }
    pattern.lastIndex = match.index + (found ? endOf(match[0], found.length) : 2)
  }
  return { valid: [...valid], broken: [...broken] }
}

/** `DE89370400440532013000` → `DE89 3704 0044 0532 0130 00`. */
export function shownIban(iban: string): string {
  return iban.replace(/(.{4})(?=.)/g, '$1 ')
}

/** Whether the whole text is one IBAN, without blanks and in capitals, of the length of its country and with right check digits. */
export function isIban(text: string): boolean {
  return /^[A-Z]{2}\d{2}[A-Z0-9]+$/.test(text) && ibanAtStart(text) === text
}

function ibanAtStart(run: string): string | undefined {
  // A creditor reference (ISO 11649) has the same check digits, and is no account.
  if (run.startsWith('RF')) return undefined
  const known = LENGTHS[run.slice(0, 2)]
  const [from, to] = known ? [known, known] : [MIN_LENGTH, Math.min(MAX_LENGTH, run.length)]
  for (let length = from; length <= to; length++) {
    const iban = run.slice(0, length)
    if (iban.length === length && isRight(iban)) return iban
  }
  return undefined
}

function isRight(iban: string): boolean {
  return mod97(iban.slice(4) + iban.slice(0, 4)) === 1
}

/** Where the so-many-th letter or digit of a text ends. */
function endOf(text: string, count: number): number {
  let seen = 0
  for (let at = 0; at < text.length; at++) if (/[A-Za-z0-9]/.test(text[at] ?? '') && ++seen === count) return at + 1
  return text.length
}
