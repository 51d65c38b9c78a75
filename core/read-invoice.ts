import { z } from 'zod'
import { findAmounts } from './amounts.ts'
import { answerForm } from './answer-form.ts'
import { DECIMAL, plainDecimal } from './decimal.ts'
import { findIbans } from './iban.ts'
import { type InvoiceOrder, invoiceOrder, isCurrency, isoDay, orderFault } from './invoice.ts'
import { canonicalAddress } from './mail-address.ts'
import { oneLine } from './quote.ts'

/** All of them stand in the task's front matter. */
const MAX_LINES_OF_A_MAIL = 20

const said = (max: number, what: string) => z.string().min(1).max(max).nullable().describe(what)
const figure = z.string().regex(DECIMAL).nullable()

/** What a model answers about a mail that asks for an invoice: null for whatever the mail does not say. */
export const invoiceAnswer = z.strictObject({
  customer: z.strictObject({
    name: said(200, 'Whom the invoice is for, as written: a company before a person'),
    email: said(254, 'Their e-mail address'),
    address: said(400, 'Their postal address in one line, as written'),
    tax_id: said(40, 'Their VAT or tax number'),
  }),
  lines: z
    .array(
      z.strictObject({
        description: said(300, 'What is invoiced, in the words of the mail'),
        quantity: figure.describe('Digits with a point: 2 or 1.5; 1 where one thing has one price'),
        unit_price: figure.describe('For one: 1250.50'),
        tax_percent: z
          .array(z.string().regex(/^\d{1,3}(\.\d{1,4})?$/))
          .max(3)
          .nullable()
          .describe('["19"] for 19 %; [] only where it is said that there is no tax; null where nothing is said'),
      }),
    )
    .max(MAX_LINES_OF_A_MAIL),
  prices_include_tax: z.boolean().nullable(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .nullable()
    .describe('ISO 4217'),
  due: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .nullable()
    .describe('The day by which it is to be paid, where a day is named: YYYY-MM-DD'),
  reference: said(100, 'Their order or reference number'),
})
export type InvoiceAnswer = z.output<typeof invoiceAnswer>

export const invoiceForm = answerForm('invoice', invoiceAnswer)

/** What the mail (and the handbook) really say. A field that nobody said is absent, and named in one of the two lists. */
export interface InvoiceData {
  readonly customer: {
    readonly name?: string
    readonly email?: string
    readonly address?: string
    readonly tax_id?: string
  }
  readonly lines: readonly {
    readonly description?: string
    readonly quantity?: string
    readonly unit_price?: string
    /** Percentages; []: no tax, as somebody said. */
    readonly taxes?: readonly string[]
  }[]
  readonly currency?: string
  readonly due?: string
  readonly reference?: string
  /** Without which there can be no invoice, in words: `the quantity of line 2`. */
  readonly missing: readonly string[]
  /** What would be good to know. */
  readonly unsaid: readonly string[]
}

/**
 * Takes from a model's answer what stands in `sources` (the mail, its sender, the handbook), and nothing else: a number,
 * name or day that is not there is missing, however sure the model was. A quantity of 1 needs no source.
 */
export function readInvoice(answer: InvoiceAnswer, sources: readonly string[]): InvoiceData {
  const text = sources.join('\n')
  const words = folded(text)
  const numbers = numbersIn(text)
  const missing: string[] = []
  const unsaid: string[] = []
  const take = <T>(value: T | null, isSaid: (value: T) => boolean, name?: string, list = missing): T | undefined => {
    if (value !== null && isSaid(value)) return value
    if (name !== undefined) list.push(name)
    return undefined
  }
  const isText = (value: string) => hasWords(words, value)
  const isNumber = (value: string) => numbers.has(plainDecimal(value))

  const { customer: who } = answer
  const address = who.email === null ? undefined : canonicalAddress(who.email.trim())
  const email = take(address ?? null, (value) => words.includes(folded(value)))
  const customer = defined({
    name: take(line(who.name, 200), isText, 'who the customer is', email === undefined ? missing : unsaid),
    email,
    address: take(line(who.address, 400), isText, 'the customer’s address', unsaid),
    tax_id: take(line(who.tax_id, 40), (value) => squeezed(text).includes(squeezed(value))),
  })
  const lines = answer.lines.map((one, index) => {
    const of = ` of line ${index + 1}`
    return defined({
      description: take(line(one.description, 300), isText, `the description${of}`),
      quantity: take(one.quantity, (value) => plainDecimal(value) === '1' || isNumber(value), `the quantity${of}`),
      unit_price: take(one.unit_price, isNumber, `the price${of}`),
      taxes: take(
        one.tax_percent,
        (rates) => (rates.length === 0 ? NO_TAX.test(text) : rates.every(isNumber)),
        `the tax${of}`,
      ),
    })
  })
  if (lines.length === 0) missing.push('what is to be invoiced')
  if (answer.prices_include_tax === null) unsaid.push('whether the prices include tax')
  else if (answer.prices_include_tax && lines.some((one) => one.taxes?.length !== 0))
    missing.push('the prices without tax (the mail gives them with tax)')
  const rest = defined({
    currency: take(answer.currency, (code) => isCurrency(code) && saysCurrency(text, code), 'the currency'),
    due: take(answer.due, (day) => isoDay.safeParse(day).success && saysDay(text, day), 'when it is due', unsaid),
    reference: take(line(answer.reference, 100), (value) => words.includes(folded(value)) && isText(value)),
  })
  return { customer, lines, ...rest, missing, unsaid }
}

/** The order for the books, where the data are enough for one; else why not, in words. */
export function orderOf(data: InvoiceData, requestId: string): { order: InvoiceOrder } | { lacks: string } {
  if (data.missing.length > 0) return { lacks: data.missing.join(', ') }
  const { name, email } = data.customer
  const parsed = invoiceOrder.safeParse({
    request_id: requestId,
    customer: defined({ name, email }),
    ...{ lines: data.lines, currency: data.currency },
    ...defined({ due: data.due, reference: data.reference }),
  })
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return { lacks: `${issue?.path.join('.')}: ${issue?.message}` }
  }
  const fault = orderFault(parsed.data)
  return fault === undefined ? { order: parsed.data } : { lacks: fault }
}

function line(text: string | null, max: number): string | null {
  const plain = oneLine(text ?? '', max)
  return plain === '' ? null : plain
}

/** Letters and digits in one case, single blanks between words. */
function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
}

function squeezed(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
}

/** Every word and number of it stands in the text, whatever the order: a description may be put together. No account number is taken over. */
function hasWords(words: string, value: string): boolean {
  const { valid, broken } = findIbans(value)
  if (valid.length + broken.length > 0) return false
  const needed = folded(value).match(/[\p{L}\p{N}]+/gu) ?? []
  const there = new Set(words.match(/[\p{L}\p{N}]+/gu))
  return needed.length > 0 && needed.every((word) => there.has(word))
}

/** Every number of the text in each way it can be read: `1.200` is 1200 and 1.2. */
function numbersIn(text: string): Set<string> {
  const found = new Set<string>()
  const add = (digits: string) => {
    const plain = digits.replace(/^0+(?=\d)/, '')
    if (DECIMAL.test(plain)) found.add(plainDecimal(plain))
  }
  for (const [run] of text.normalize('NFKC').matchAll(/\d+(?:[.,'’ ]\d+)*/g)) {
    for (const [part] of run.matchAll(/\d+/g)) add(part)
    for (const [part] of run.matchAll(/\d+(?:[.,'’]\d+)*/g)) addReadings(part, add)
    addReadings(run, add)
  }
  return found
}

function addReadings(run: string, add: (digits: string) => void): void {
  add(run.replace(/\D/g, ''))
  const last = /^(.*)[.,](\d{1,6})$/.exec(run)
  if (last) add(`${last[1]?.replace(/\D/g, '')}.${last[2]}`)
}

function saysCurrency(text: string, code: string): boolean {
  return (
    new RegExp(`(?<![A-Za-z])${code}(?![A-Za-z])`).test(text) || findAmounts(text).some((one) => one.currency === code)
  )
}

/** “Without tax” is no such word: it says what a price is, not what is owed. */
const NO_TAX =
  /(?<![\d.,])0 ?%|\bno (?:vat|tax|gst)\b|(?:vat|tax|gst)[ -](?:free|exempt)|\bexempt|zero[ -]rated|reverse[ -]charge|steuerfrei|steuerbefrei|kleinunternehmer|exon[ée]r|exent[oa]|esente|zwolnion/i
const MONTH_LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pl', 'nl', 'pt']

/** The day and the month stand in the text, the month as a number or by its name. */
function saysDay(text: string, day: string): boolean {
  const [, month = '', date = ''] = day.split('-').map(Number).map(String)
  const there = new Set(
    folded(text)
      .match(/[\p{L}]+|\d+/gu)
      ?.map((word) => word.replace(/^0+(?=\d)/, '')),
  )
  return there.has(date) && (there.has(month) || monthNames(day).some((name) => there.has(name)))
}

function monthNames(day: string): string[] {
  const at = new Date(`${day}T12:00:00Z`)
  return MONTH_LANGUAGES.flatMap((language) =>
    (['long', 'short'] as const).map((month) =>
      new Intl.DateTimeFormat(language, { day: 'numeric', month, timeZone: 'UTC' })
        .formatToParts(at)
        .filter((part) => part.type === 'month')
        .map((part) => folded(part.value).replace(/\.$/, ''))
        .join(''),
    ),
  )
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>
}
