import { z } from 'zod'

/** By the names they have in the front matter's `outcome`, where they must not hide a field that every outcome has. */
export const outcomeFacts = z.record(
  z.string().regex(/^(?!status$|at$|key$|link$|digest$|reason$|missed$|receipt$)[a-z][a-z_]{0,30}$/),
  z.string().max(300),
)
export type OutcomeFacts = Readonly<z.output<typeof outcomeFacts>>

/**
 * What a tool that acts reports. `key`: by which the provider can be asked for it (for a mail its Message-ID). `refused`
 * is definite: nothing was done. `handed-over`: made ready, and the person finishes it. `unknown` is looked up. Neither
 * is ever tried again.
 */
export const reportSchema = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('accepted'),
    key: z.string(),
    /** The provider's answer, one line. */
    answer: z.string(),
    /** What of it was not done though the rest was, a sentence each: a recipient that was refused. */
    missed: z.array(z.string()),
    /** Where the result can be looked at. */
    link: z.string().optional(),
    /** What else the finished task's `outcome` tells, such as the number of an invoice. */
    facts: outcomeFacts.optional(),
  }),
  z.strictObject({
    outcome: z.literal('refused'),
    code: z.enum([
      'ERR_COUNTERSIGNATURE_INVALID',
      'ERR_FENCED',
      'ERR_MAIL_REFUSED',
      'ERR_MAIL_UNREACHABLE',
      'ERR_ODOO_REFUSED',
      'ERR_ODOO_UNREACHABLE',
      'ERR_PAYMENT_REFUSED',
      'ERR_PAYMENT_UNAVAILABLE',
      'ERR_SOCIAL_REFUSED',
      'ERR_SOCIAL_UNREACHABLE',
      'ERR_WHATSAPP_REFUSED',
      'ERR_WHATSAPP_UNREACHABLE',
    ]),
    reason: z.string(),
    /** The rule in words, for whoever called without the executor. */
    say: z.string().optional(),
  }),
  z.strictObject({
    outcome: z.literal('handed-over'),
    key: z.string(),
    /** What is left for the person to do, a sentence. */
    say: z.string(),
  }),
  z.strictObject({
    outcome: z.literal('unknown'),
    code: z.literal('ERR_OUTCOME_UNKNOWN'),
    key: z.string(),
    reason: z.string(),
  }),
])
export type Report = z.output<typeof reportSchema>
export type RefusalCode = Extract<Report, { outcome: 'refused' }>['code']

/** The same as a tool declares it: an object at the top, as MCP wants it; which fields stand there depends on `outcome`. */
export const reportOutput = z.strictObject({
  outcome: z.enum(['accepted', 'refused', 'handed-over', 'unknown']),
  key: z.string().optional(),
  answer: z.string().optional(),
  missed: z.array(z.string()).optional(),
  link: z.string().optional(),
  facts: outcomeFacts.optional(),
  code: z.string().optional(),
  reason: z.string().optional(),
  say: z.string().optional(),
})
