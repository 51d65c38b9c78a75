import { z } from 'zod'
import type { ActionFault, ActionLimits } from './action.ts'
import { DECIMAL, decimalOf, decimalText, rounded } from './decimal.ts'
import { isIban } from './iban.ts'
import { digitsOf, isCurrency, isoDay } from './invoice.ts'
import type { PaymentOrder } from './ports/payment.ts'
import type { ActionParts } from './risk.ts'
import { creditorReferenceFault, plainCreditorReference, sepaFault } from './sepa-text.ts'

/** The ways this machine pays, by its settings. */
export interface PaymentLimits {
  /** As an action names them. */
  readonly ways: readonly string[]
}

/** The largest amount of a SEPA payment. */
const MAX_WHOLE_DIGITS = 9
export const MAX_PAYEE_CHARS = 70
export const MAX_REFERENCE_CHARS = 140
export const WAY = /^[a-z][a-z0-9-]{0,30}$/

const sepaText = (max: number) =>
  z
    .string()
    .min(1, 'missing')
    .max(max, `longer than the ${max} characters a payment has room for`)
    .superRefine((text, context) => {
      const message = sepaFault(text)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
const compact = (text: string) => text.replace(/ /g, '').toUpperCase()

/** `payment.pay`: one payment. Blanks in account numbers and references do not matter; it has no text. */
export const paymentSchema = z
  .strictObject({
    tool: z.literal('payment.pay'),
    /** By which way: `sepa-file`, or a bank's name. */
    way: z.string().regex(WAY, 'no name of a way to pay'),
    payee: sepaText(MAX_PAYEE_CHARS),
    iban: z
      .string()
      .min(1, 'missing')
      .max(60, 'too long')
      .overwrite(compact)
      .refine(isIban, 'no account number (IBAN), or its check digits are wrong'),
    bic: z
      .string()
      .max(20)
      .overwrite(compact)
      .regex(/^[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/, 'no code of a bank (BIC) of 8 or 11 letters and digits')
      .optional(),
    amount: z.string().regex(DECIMAL, 'no plain number such as 1234.50'),
    currency: z.string().refine(isCurrency, 'no currency code such as EUR'),
    reference: sepaText(MAX_REFERENCE_CHARS).optional(),
    /** By which the payee's books know it: `RF…` (ISO 11649), or the twelve digits of Belgium. */
    creditor_reference: z.string().max(60).overwrite(plainCreditorReference).optional(),
    /** The last day to pay it, as the bill says. */
    due: isoDay.optional(),
    /** The day the bank is to do it; without it, as soon as it can. */
    execute_on: isoDay.optional(),
    /** Of the vendor's bill in Odoo, which this pays. */
    invoice: z
      .string()
      .regex(/^[1-9]\d{0,9}$/, 'not the number that Odoo gives a bill (its id)')
      .optional(),
    /** The task by which the same was paid before: it is paid once more on purpose. */
    again: z
      .string()
      .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'not the id of a task')
      .optional(),
  })
  .superRefine((action, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const amount = amountFault(action.amount, action.currency)
    if (amount !== undefined) fault('amount', amount)
    if (action.creditor_reference === undefined) return
    const reference = creditorReferenceFault(action.creditor_reference)
    if (reference !== undefined) fault('creditor_reference', reference)
    if (action.reference !== undefined)
      fault('reference', 'there is a creditor reference already; a payment carries one')
  })

export type PaymentAction = z.output<typeof paymentSchema>

const NEEDED = {
  payee: 'the payee',
  iban: 'the account (IBAN)',
  amount: 'the amount',
  currency: 'the currency',
} as const

/** What an action lacks that is not complete yet, for the person; undefined: nothing. */
export function sayLacking(action: Readonly<Record<string, unknown>>, remark: string | undefined): string | undefined {
  const lacking = Object.entries(NEEDED).filter(([field]) => (action[field] ?? '') === '')
  if (lacking.length === 0) return undefined
  const [names, fields] = [lacking.map(([, name]) => name), lacking.map(([field]) => `“${field}:”`)]
  const found = remark === undefined ? '' : ` ${remark}.`
  return `This payment is not complete: ${names.join(', ')} missing.${found} Write it after ${fields.join(', ')} at the top of this file; or under the notes to the drafter, and tick Redraft.`
}

function amountFault(amount: string, currency: string): string | undefined {
  if (!DECIMAL.test(amount)) return undefined
  const { units, scale } = decimalOf(amount)
  if (units === 0n) return 'nothing to pay'
  if (amount.split('.')[0]!.length > MAX_WHOLE_DIGITS) return 'too much for one payment'
  const digits = digitsOf(currency)
  return scale > digits ? `${currency} has ${digits} digits after the point` : undefined
}

/** Why this machine may not pay so. */
export function paymentFault({ way }: PaymentAction, limits: ActionLimits): ActionFault | undefined {
  const ways = limits.payment?.ways ?? []
  if (ways.includes(way)) return undefined
  const known = ways.length > 0 ? `by ${ways.join(', ')} only` : 'in no way: none is set up (docs/payments.md)'
  return { rule: 'payment-way', say: `This machine pays ${known}, not by ${way}.` }
}

/** What the payee and the bank get to see. */
export function paymentParts(action: PaymentAction): ActionParts {
  const { payee, iban, amount, currency, reference, creditor_reference: structured } = action
  const text = [payee, iban, `${amount} ${currency}`, reference, structured]
    .filter((one) => one !== undefined)
    .join('\n')
  return { recipients: [], text, attachments: [], payment: action }
}

/** The payment as its way gets it. */
export function orderOf(action: PaymentAction): PaymentOrder {
  const { payee, iban, bic, amount, currency, reference, creditor_reference, execute_on } = action
  return {
    ...{ payee, iban, bic, amount: fullAmount(amount, currency), currency, reference },
    ...{ creditorReference: creditor_reference, executeOn: execute_on },
  }
}

/** With exactly the digits of its currency: `12.5` EUR is `12.50`. */
export function fullAmount(amount: string, currency: string): string {
  return decimalText(rounded(decimalOf(amount), digitsOf(currency)))
}
