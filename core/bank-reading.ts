import type { BankScript, OrderField } from './bank-script.ts'
import type { PaymentOrder } from './ports/payment.ts'

/** What a page shows of an order, as text; undefined: it does not show it. */
export type ShownOrder = Partial<Record<OrderField, string>>
type Formats = BankScript['formats']

/** As this bank's pages want it typed; undefined: the order says nothing about it. */
export function typedValue(field: OrderField, order: PaymentOrder, formats: Formats): string | undefined {
  switch (field) {
    case 'payee':
    case 'iban':
    case 'currency':
    case 'bic':
      return order[field]
    case 'amount':
      return order.amount.replace('.', formats.decimal)
    case 'reference':
      return order.reference ?? order.creditorReference
    case 'date':
      return order.executeOn === undefined ? undefined : writtenDay(order.executeOn, formats.date)
  }
}

/**
 * What a page shows differently from the order, in words for the person; empty when everything is exactly as it was
 * countersigned. What cannot be read counts as different. No word of the page is repeated.
 */
export function differences(shown: ShownOrder, order: PaymentOrder, formats: Formats): string[] {
  const found: string[] = []
  const missing = (field: OrderField) => found.push(`it does not show the ${field}`)
  if (shown.payee === undefined) missing('payee')
  else if (oneLine(shown.payee) !== oneLine(order.payee)) found.push('another payee')
  if (shown.iban === undefined) missing('iban')
  else if (shown.iban.replace(/\s/g, '') !== order.iban) found.push('another IBAN')
  const amount = shown.amount === undefined ? undefined : readAmount(shown.amount, formats)
  if (amount === undefined) missing('amount')
  else if (amount.value !== order.amount) found.push('another amount')
  const currencies = [amount?.currency, currencyOf(shown.currency)].filter((one) => one !== undefined)
  if (currencies.length === 0) missing('currency')
  else if (currencies.some((one) => one !== order.currency)) found.push('another currency')
  const reference = order.reference ?? order.creditorReference ?? ''
  if (shown.reference === undefined) missing('reference')
  else if (oneLine(shown.reference).replace(/^[-–]$/, '') !== oneLine(reference)) found.push('another reference')
  if (order.executeOn !== undefined) {
    if (shown.date === undefined) missing('date')
    else if (readDay(shown.date, formats.date) !== order.executeOn) found.push('another date')
  }
  return found
}

/** `1.234,56 EUR` → value `1234.56`, currency `EUR`; undefined when it is anything but one amount in the bank's own spelling. */
export function readAmount(
  text: string,
  { decimal, thousands }: Formats,
): { readonly value: string; readonly currency: string | undefined } | undefined {
  const money = oneLine(text)
  const match = /^(?:(?<before>[A-Z]{3}|€|£) ?)?(?<number>\d[^A-Z€£]*?)(?: ?(?<after>[A-Z]{3}|€|£))?$/u.exec(money)
  const { before, number, after } = match?.groups ?? {}
  if (number === undefined || (before !== undefined && after !== undefined)) return undefined
  const sign = (one: string) => one.replace(/[.’']/g, '\\$&')
  const groups = thousands === '' ? '\\d{1,12}' : `(?:\\d{1,12}|\\d{1,3}(?:${sign(thousands)}\\d{3}){1,3})`
  if (!new RegExp(`^${groups}(?:${sign(decimal)}\\d{1,4})?$`).test(number)) return undefined
  const value = (thousands === '' ? number : number.replaceAll(thousands, '')).replace(decimal, '.')
  return { value, currency: currencyOf(before ?? after) }
}

/** `30.11.2026` → `2026-11-30`; undefined when it is no day in this form. */
export function readDay(text: string, form: string): string | undefined {
  const parts = form.split(/[./-]/)
  const pattern = form
    .replace(/[.]/g, '\\.')
    .replace('DD', '(\\d{2})')
    .replace('MM', '(\\d{2})')
    .replace('YYYY', '(\\d{4})')
  const found = new RegExp(`^${pattern}$`).exec(oneLine(text))?.slice(1)
  if (!found) return undefined
  const part = (name: string) => found[parts.indexOf(name)] ?? ''
  const day = `${part('YYYY')}-${part('MM')}-${part('DD')}`
  return Number.isNaN(Date.parse(`${day}T00:00:00Z`)) ? undefined : day
}

function writtenDay(day: string, form: string): string {
  const [year = '', month = '', date = ''] = day.split('-')
  return form.replace('DD', date).replace('MM', month).replace('YYYY', year)
}

function currencyOf(text: string | undefined): string | undefined {
  const found = text === undefined ? undefined : oneLine(text)
  if (found === '€') return 'EUR'
  return found === '£' ? 'GBP' : found
}

/** Blanks of every kind are one blank: a page breaks its lines where it likes. */
function oneLine(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim()
}
