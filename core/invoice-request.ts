import { z } from 'zod'
import { hundredthsOf } from './amounts.ts'
import { type AnswerForm, answerForm } from './answer-form.ts'
import { plain } from './card-text.ts'
import { DECIMAL } from './decimal.ts'
import { addressesIn } from './handbook-contacts.ts'
import { findIbans } from './iban.ts'
import { isCurrency, isoDay } from './invoice.ts'
import { sameAddress } from './look-alike.ts'
import { INVISIBLE } from './visible-text.ts'

const MAX_LINES = 20
const text = (max: number, what: string) => z.string().max(max).describe(`${what}; "" where it is not said`)
const decimal = (what: string) => text(20, `${what}, as a decimal number such as 1250.50`)

/** What a model takes out of a mail that asks for an invoice. Nothing of it is believed before `checkedInvoice`. */
const invoiceAnswer = z.strictObject({
  customer: text(200, 'Whom the invoice is for, as the mail writes it'),
  email: text(254, 'The address the invoice goes to'),
  address: text(300, 'Street, postcode, town, country, on one line'),
  tax_number: text(40, 'The VAT number of the customer'),
  lines: z
    .array(
      z.strictObject({
        description: text(300, 'What is invoiced, in the words of the mail'),
        quantity: decimal('How many'),
        unit_price: decimal('For one, without tax'),
      }),
    )
    .max(MAX_LINES),
  currency: text(3, 'Three letters such as EUR'),
  tax_percent: decimal('The tax rate in percent'),
  reference: text(100, 'The customer’s order number or project'),
  due: text(10, 'A day such as 2026-12-01'),
})
export type InvoiceAnswer = z.output<typeof invoiceAnswer>
export const INVOICE_ANSWER: AnswerForm<InvoiceAnswer> = answerForm('invoice', invoiceAnswer)

/** Where its data may come from: the quoted mail, and what the owner wrote. */
export interface InvoiceSources {
  readonly mail: string
  readonly handbook: string
}

export interface InvoiceRequest {
  readonly customer: readonly (readonly [label: string, value: string])[]
  readonly lines: readonly { readonly description: string; readonly quantity: string; readonly unitPrice: string }[]
  readonly terms: readonly (readonly [label: string, value: string])[]
  /** What an invoice needs and no source says, or what the model said and no source has. */
  readonly missing: readonly string[]
}

/** Signs and letters by which a currency is written. */
const SIGNS: Readonly<Record<string, RegExp>> = {
  EUR: /€|\beuros?\b/i,
  USD: /\$|\bdollars?\b/i,
  GBP: /£|\bpounds?\b/i,
  CHF: /\bfranken\b|\bfrancs\b|\bsfr\b/i,
  JPY: /¥|\byen\b/i,
}

/** Keeps of an answer what stands in the mail or the handbook, letter for letter or number for number, and names the rest. */
export function checkedInvoice(answer: InvoiceAnswer, sources: InvoiceSources): InvoiceRequest {
  const all = `${sources.mail}\n${sources.handbook}`
  const flat = flattened(all)
  const numbers = numbersIn(all)
  const addresses = new Set(addressesIn(all).map(sameAddress))
  const said = (value: string) => value !== '' && isPlain(value) && flat.includes(flattened(value))
  const counted = (value: string) => DECIMAL.test(value) && numbers.has(Math.round(Number(value) * 100))
  const missing: string[] = []
  const keep = (value: string, label: string, isKept: boolean, isNeeded = false): string => {
    if (isKept) return value
    if (value !== '') missing.push(`${label} (what was read stands nowhere)`)
    else if (isNeeded) missing.push(label)
    return ''
  }
  const customer = [
    ['Customer', keep(answer.customer, 'the customer’s name', said(answer.customer), true)],
    ['Address', keep(answer.address, 'the customer’s address', saidInParts(answer.address, said), true)],
    ['E-mail', keep(answer.email, 'an e-mail address', addresses.has(sameAddress(answer.email)))],
    ['Tax number', keep(answer.tax_number, 'the tax number', said(answer.tax_number))],
  ] as const
  const lines = answer.lines.map((line, index) => ({
    description: keep(line.description, `what line ${index + 1} is for`, saidInWords(line.description, flat), true),
    quantity: keep(
      line.quantity,
      `the quantity of line ${index + 1}`,
      line.quantity === '1' || counted(line.quantity),
      true,
    ),
    unitPrice: keep(line.unit_price, `the price of line ${index + 1}`, counted(line.unit_price), true),
  }))
  if (lines.length === 0) missing.push('what is to be invoiced')
  const currency = answer.currency.toUpperCase()
  const terms = [
    ['Currency', keep(currency, 'the currency', isCurrency(currency) && isWritten(currency, all), true)],
    ['Tax, percent', keep(answer.tax_percent, 'the tax rate', counted(answer.tax_percent), true)],
    ['Reference', keep(answer.reference, 'the reference', said(answer.reference))],
    ['Due', keep(answer.due, 'the due date', isoDay.safeParse(answer.due).success && isDayOf(answer.due, numbers))],
  ] as const
  return { customer, lines, terms, missing: [...new Set(missing)] }
}

/** A note for the person: everything as it was read, inert. */
export function renderInvoiceNote(request: InvoiceRequest, title: string, taskLink: string): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => plain(cell)).join(' | ')} |`
  const rows = [...request.customer, ...request.terms].filter(([, value]) => value !== '')
  return [
    `# Invoice data: ${plain(title)}`,
    `Taken out of ${taskLink}. Everything here stands in the mail or in your handbook; what the mail says about money is the sender’s claim.`,
    ['| | |', '|---|---|', ...rows.map(row)].join('\n'),
    [
      '| description | quantity | price for one |',
      '|---|---|---|',
      ...request.lines.map((line) => row([line.description || '?', line.quantity || '?', line.unitPrice || '?'])),
    ].join('\n'),
    request.missing.length > 0
      ? `Still missing:\n\n${request.missing.map((one) => `- ${plain(one)}`).join('\n')}`
      : 'Nothing is missing.',
    '',
  ].join('\n\n')
}

/** In hundredths, of `1.200,50` as of `1,200.50` and `1 200.50`, whose parts might be numbers of their own as well. */
function numbersIn(text: string): Set<number> {
  const runs = text.match(/\d{1,15}(?:[.,'’ \u00a0]\d{1,15}){0,5}/g) ?? []
  return new Set(runs.flatMap((run) => [run, ...run.split(/[ \u00a0]/)]).map(hundredthsOf))
}

function isPlain(value: string): boolean {
  const { valid, broken } = findIbans(value)
  return !INVISIBLE.test(value) && valid.length + broken.length === 0
}

/** An address is often spread over lines: each of its parts has to be there. */
function saidInParts(value: string, said: (part: string) => boolean): boolean {
  const parts = value.split(',').map((part) => part.trim())
  return value !== '' && parts.every((part) => part !== '' && said(part))
}

/** A description may leave out words, but adds none that carry it. */
function saidInWords(value: string, flat: string): boolean {
  const words = flattened(value).match(/[\p{L}\p{N}]{4,}/gu) ?? []
  return (
    value !== '' &&
    isPlain(value) &&
    (words.length > 0 ? words.every((word) => flat.includes(word)) : flat.includes(flattened(value)))
  )
}

function isWritten(currency: string, text: string): boolean {
  return new RegExp(`\\b${currency}\\b`).test(text) || (SIGNS[currency]?.test(text) ?? false)
}

/** The day of the month stands somewhere as a number; how the month is written is not looked at. */
function isDayOf(iso: string, numbers: ReadonlySet<number>): boolean {
  return numbers.has(Number(iso.slice(8)) * 100)
}

function flattened(value: string): string {
  return value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
}
