import { readableDomain } from './unusual-characters.ts'

/** A link of a draft by where it leads. `domain` in ASCII, or the words of a link that leads nowhere readable. */
export interface DraftLink {
  readonly domain: string
  /** As the domain reads when it is not plain ASCII. */
  readonly reads?: string | undefined
  /** What is odd about it, in words. */
  readonly odd: readonly string[]
  readonly count: number
}

export interface DraftIban {
  /** In groups of four. */
  readonly iban: string
  readonly verdict: 'ok' | 'checksum-wrong' | 'too-short' | 'country-unknown'
}

const MAX_LISTED = 20
const LINK =
  /(?:[a-z][a-z0-9+.-]{1,20}:\/\/|(?<![\p{L}\p{N}.@/-])www\.|(?<![\p{L}\p{N}])(?:mailto|tel|sms|javascript|data):)[^\s<>"`|\\]+/giu
/** Punctuation that ends a sentence, and brackets around a link, are not part of it. */
const AFTER_LINK = /[.,;:!?'’”)\]}]+$/u
const CURRENCIES =
  'EUR|USD|GBP|CHF|JPY|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|INR|CNY|BRL|ZAR|PKR|AED|SAR|BTC|ETH'
const NUMBER = "\\d{1,3}(?:[.,'’ \\u00a0\\u202f]\\d{3})+(?:[.,]\\d{1,2})?|\\d+(?:[.,]\\d{1,2})?"
const AMOUNT = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:\\p{Sc}|(?:${CURRENCIES})\\b)[ \\u00a0\\u202f]?(?:${NUMBER})(?![\\p{N}])|(?<![\\p{N}.,])(?:${NUMBER})(?:,-|\\.-)?[ \\u00a0\\u202f]?(?:\\p{Sc}|(?:${CURRENCIES}|euros?|dollars?|pounds?)(?![\\p{L}\\p{N}]))`,
  'giu',
)
/** Looked for at every place: of two that follow each other, the first would swallow the second. */
const IBAN = /(?<![\p{L}\p{N}])(?=([A-Z]{2}\d{2}(?:[ \u00a0\u202f.-]{0,2}[A-Z0-9]){8,30}))/giu
/** Of a country without IBANs: only what is written like one, in capitals and groups of four. */
const LIKE_IBAN = /^[A-Z]{2}\d{2}(?:[ \u00a0\u202f.-]?[A-Z0-9]{4}){3,7}/
const MIN_IBAN_DIGITS = 8
/** How long a country's IBAN is (the registry of SWIFT, ISO 13616). */
const IBAN_LENGTHS: Readonly<Record<number, string>> = {
  15: 'NO',
  16: 'BE',
  18: 'DK FI FO GL NL SD FK',
  19: 'MK SI',
  20: 'AT BA EE KZ LT LU XK MN',
  21: 'CH HR LI LV',
  22: 'BG BH CR DE GB GE IE ME RS VA',
  23: 'AE GI IL IQ TL OM SO',
  24: 'AD CZ ES MD PK RO SA SE SK TN VG',
  25: 'LY PT ST',
  26: 'IS TR',
  27: 'BI DJ FR GR IT MC MR SM',
  28: 'AL AZ BY CY DO GT HN HU LB NI PL SV',
  29: 'BR EG PS QA UA',
  30: 'JO KW MU YE',
  31: 'MT SC',
  32: 'LC',
  33: 'RU',
}
const LENGTH_OF: ReadonlyMap<string, number> = new Map(
  Object.entries(IBAN_LENGTHS).flatMap(([length, countries]) =>
    countries.split(' ').map((country) => [country, Number(length)] as const),
  ),
)

/** Where the links of a draft lead, each domain once, in order; at most 20. */
export function linksIn(text: string): DraftLink[] {
  const found = new Map<string, DraftLink>()
  for (const [raw] of text.matchAll(LINK)) {
    const link = readLink(raw.replace(AFTER_LINK, ''))
    const key = `${link.domain}\n${link.odd.join()}`
    found.set(key, { ...link, count: (found.get(key)?.count ?? 0) + 1 })
    if (found.size >= MAX_LISTED) break
  }
  return [...found.values()]
}

function readLink(raw: string): Omit<DraftLink, 'count'> {
  const written = /^www\./i.test(raw) ? `http://${raw}` : raw
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(written)?.[0].toLowerCase() ?? ''
  if (scheme === 'mailto') {
    const address = written.slice(7).split('?')[0] ?? ''
    const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
    return { domain, reads: readableDomain(domain), odd: [`writes a mail to ${address.slice(0, 100)}`] }
  }
  try {
    const { hostname, username, password, port } = new URL(written)
    const odd = [
      ...(['http', 'https'].includes(scheme) ? [] : [`opens with ${scheme}:`]),
      ...(username || password ? ['carries a name before an @: what stands there is not where it leads'] : []),
      ...(/^[\d.]+$|^\[/.test(hostname) ? ['leads to a bare number instead of a name'] : []),
      ...(port ? [`port ${port}`] : []),
    ]
    return { domain: hostname || raw.slice(0, 60), reads: readableDomain(hostname), odd }
  } catch {
    return { domain: raw.slice(0, 60), odd: ['cannot be read as a link'] }
  }
}

/** Amounts of money as the draft writes them, each once, in order; at most 20. */
export function amountsIn(text: string): string[] {
  const found = [...text.matchAll(AMOUNT)].map(([amount]) => amount.replace(/[\s\u00a0\u202f]+/g, ' ').trim())
  return [...new Set(found)].slice(0, MAX_LISTED)
}

/** Bank accounts of the draft, each once, in order; at most 20. */
export function ibansIn(text: string): DraftIban[] {
  const found = new Map<string, DraftIban>()
  for (const [, raw = ''] of text.matchAll(IBAN)) {
    const length = LENGTH_OF.get(raw.slice(0, 2).toUpperCase())
    const written = length === undefined ? (LIKE_IBAN.exec(raw)?.[0] ?? '') : raw
    const iban = written
      .replace(/[^A-Z0-9]/gi, '')
      .toUpperCase()
      .slice(0, length)
    if (iban.replace(/\D/g, '').length < MIN_IBAN_DIGITS) continue
    found.set(iban, { iban: iban.replace(/.{4}(?=.)/g, '$& '), verdict: verdictOf(iban, length) })
  }
  return [...found.values()].slice(0, MAX_LISTED)
}

function verdictOf(iban: string, length: number | undefined): DraftIban['verdict'] {
  if (length === undefined) return 'country-unknown'
  if (iban.length < length) return 'too-short'
  return remainderOf97(iban) === 1 ? 'ok' : 'checksum-wrong'
}

/** ISO 7064: the first four characters go to the end, letters count from 10. */
function remainderOf97(iban: string): number {
  const digits = [...(iban.slice(4) + iban.slice(0, 4))].map((one) => Number.parseInt(one, 36)).join('')
  let rest = 0
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97
  return rest
}
