/** Money as people write it. `cents`: hundredths of the currency, at most `MAX_CENTS`. */
export interface Amount {
  /** ISO 4217 where it is known, e.g. `EUR`. */
  readonly currency: string
  readonly cents: number
}

export const MAX_CENTS = Number.MAX_SAFE_INTEGER
const MAX_FOUND = 200
const SIGNS: Readonly<Record<string, string>> = {
  ...{ '€': 'EUR', $: 'USD', '£': 'GBP', '¥': 'JPY', '₹': 'INR', '₺': 'TRY', '₽': 'RUB', '₩': 'KRW', '₿': 'BTC' },
  ...{ euro: 'EUR', euros: 'EUR', dollar: 'USD', dollars: 'USD', pound: 'GBP', pounds: 'GBP', franken: 'CHF' },
  ...{ francs: 'CHF', sfr: 'CHF', us$: 'USD', bitcoin: 'BTC', yen: 'JPY' },
}
const CODES =
  'EUR USD GBP CHF JPY CNY INR TRY RUB SEK NOK DKK PLN CZK HUF RON BGN AUD CAD NZD SGD HKD KRW ZAR BRL MXN ILS AED SAR UAH THB BTC ETH USDT'
const FACTORS: readonly (readonly [RegExp, number])[] = [
  [/^(?:k|tsd|thousand|tausend)$/i, 1e3],
  [/^(?:m|mio|mn|million|millions|millionen)$/i, 1e6],
  [/^(?:bn|mrd|billion|billions|milliarden?)$/i, 1e9],
]
const CURRENCY = `(?:US\\$|[€$£¥₹₺₽₩₿]|(?<![\\p{L}])(?:${CODES.replaceAll(' ', '|')}|euros?|dollars?|pounds?|franken|francs|sfr|bitcoin|yen)(?![\\p{L}]))`
const NUMBER = `\\d{1,15}(?:[.,'’ \\u00a0\\u202f]\\d{1,15}){0,6}`
const FACTOR = '(?:k|m|tsd|mio|mn|bn|mrd|thousand|tausend|millions?|millionen|billions?|milliarden?)'
const AMOUNT = new RegExp(
  `(?<before>${CURRENCY})[ \\u00a0]{0,2}(?<first>${NUMBER})(?:[ \\u00a0]?(?<firstFactor>${FACTOR})\\.?(?![\\p{L}\\p{N}]))?` +
    `|(?<![\\p{L}\\p{N}.,])(?<second>${NUMBER})(?:,?[-–—]{1,2})?(?:[ \\u00a0]?(?<secondFactor>${FACTOR})\\.?)?[ \\u00a0]{0,2}(?<after>${CURRENCY})`,
  'giu',
)

/** Every amount of money with its currency, in the order of the text. Amounts in words are not found. */
export function findAmounts(text: string): Amount[] {
  return placedAmounts(text.normalize('NFKC')).map(({ amount }) => amount)
}

/** The same with what is written for each and where it begins. The text has to be in NFKC. */
export function placedAmounts(text: string): { amount: Amount; written: string; at: number }[] {
  const found: { amount: Amount; written: string; at: number }[] = []
  for (const { 0: written, index, groups } of text.matchAll(AMOUNT)) {
    const cents = centsOf(groups?.first ?? groups?.second ?? '', groups?.firstFactor ?? groups?.secondFactor)
    found.push({ amount: { currency: currencyOf(groups?.before ?? groups?.after ?? ''), cents }, written, at: index })
    if (found.length >= MAX_FOUND) break
  }
  return found
}

/** A plain number in hundredths, with separators as people write them: `1.200,50` and `1,200.50` are the same. */
export function hundredthsOf(number: string): number {
  return centsOf(number, undefined)
}

/** The whole text as one amount. */
export function readAmount(text: string): Amount | undefined {
  const match = [...text.trim().normalize('NFKC').matchAll(AMOUNT)][0]
  return match?.[0].length === text.trim().normalize('NFKC').length ? findAmounts(text)[0] : undefined
}

export function sayAmount({ currency, cents }: Amount): string {
  if (cents >= MAX_CENTS) return `a huge amount of ${currency}`
  const [whole = '', part = ''] = (cents / 100).toFixed(2).split('.')
  return `${whole.replace(/\B(?=(?:\d{3})+$)/g, ' ')}${part === '00' ? '' : `.${part}`} ${currency}`
}

function currencyOf(written: string): string {
  return SIGNS[written.toLowerCase()] ?? written.toUpperCase()
}

/** One last separator with one or two digits after it marks cents; every other separator only groups digits. */
function centsOf(number: string, factorWord: string | undefined): number {
  const factor = FACTORS.find(([word]) => word.test(factorWord ?? ''))?.[1] ?? 1
  const decimal = /^(.*)[.,](\d{1,2})$/.exec(number)
  const isFraction = decimal !== null || (factor > 1 && /^\d+[.,]\d+$/.test(number))
  const last = Math.max(number.lastIndexOf('.'), number.lastIndexOf(','))
  const whole = (isFraction ? number.slice(0, last) : number).replace(/\D/g, '')
  const fraction = isFraction ? number.slice(last + 1) : ''
  const value = Math.round(Number(`${whole || '0'}.${fraction || '0'}`) * factor * 100)
  return Number.isSafeInteger(value) ? value : MAX_CENTS
}
