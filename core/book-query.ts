import { z } from 'zod'
import { currencyCode } from './invoice.ts'

const words = z.string().min(1).max(100)
const limit = z.int().min(1).max(50).default(20)

/** The questions that may be asked of the books, and no other: no model, field or filter comes from who asks. */
export const bookQuery = z.discriminatedUnion('about', [
  z.strictObject({
    about: z.literal('customers'),
    name: words.optional().describe('A part of the name'),
    email: words.optional().describe('The whole address'),
    limit,
  }),
  z.strictObject({
    about: z.literal('products'),
    name: words.optional().describe('A part of the name'),
    code: words.optional().describe('The whole internal reference'),
    limit,
  }),
  z.strictObject({ about: z.literal('taxes'), limit }),
  z.strictObject({ about: z.literal('currencies'), code: currencyCode.optional(), limit }),
  z.strictObject({
    about: z.literal('invoices'),
    request_id: words.optional().describe('The task id it was drafted for'),
    number: words.optional().describe('Such as INV/2026/00012'),
    customer_id: z.int().positive().optional(),
    state: z.enum(['draft', 'posted', 'cancel']).optional(),
    limit,
  }),
])
export type BookQuery = z.output<typeof bookQuery>

/** One record, plain: amounts and percentages as decimal strings, what is empty left out. */
export type BookRow = Readonly<Record<string, string | number | boolean | readonly number[]>>
