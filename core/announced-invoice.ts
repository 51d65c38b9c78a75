import type { Attachment } from './attachment.ts'
import { plainDecimal } from './decimal.ts'
import { type EmailAction, emailActionSchema } from './email-action.ts'
import { INVOICE_SLOT } from './invoice-slot.ts'
import { oneLine } from './quote.ts'

/** What a posted invoice is called: `INV/2026/00012`. One line of plain signs, with a digit in it. */
const NUMBER = /^(?=.*\d)[A-Za-z0-9][A-Za-z0-9 ./_#-]{0,38}[A-Za-z0-9]$/

/** What became of the task that posted an invoice, as its file in Done/ says it. */
export interface PostedInvoice {
  readonly customer: string
  readonly total: string
  readonly currency: string
  readonly number: unknown
  /** The document that the books made of it, checked against its own name; undefined where there is none. */
  readonly document: Attachment | undefined
}

export type FilledMail =
  | { readonly ok: true; readonly action: EmailAction }
  /** For the person. Nothing of it can be sent as it stands. */
  | { readonly ok: false; readonly rule: string; readonly say: string }

/**
 * The mail as it goes out: the number in place of the slot, the document among the attachments, and nothing else of it
 * changed. What was approved is the mail with the slot, and the task that the number comes from.
 */
export function fillMail(action: EmailAction, posted: PostedInvoice): FilledMail {
  const { invoice, ...mail } = action
  if (invoice === undefined) return { ok: true, action }
  const { number, document } = posted
  if (invoice.customer !== posted.customer)
    return no(
      'invoice-of-another',
      `The invoice that was posted is one for ${oneLine(posted.customer, 100)}, and this mail was written about one for ${oneLine(invoice.customer, 100)}. Nothing was sent.`,
    )
  if (!isSameAmount(invoice, posted))
    return no(
      'invoice-total-differs',
      `The invoice was posted over ${shown(posted)}, and this mail was written for ${shown(invoice)}. Tick Redraft, or correct the text and the amount under "invoice:" and approve it again.`,
    )
  if (typeof number !== 'string' || !NUMBER.test(number))
    return no(
      'invoice-number-unusable',
      `The invoice was posted, and its number is none that could be put into a mail: ${oneLine(JSON.stringify(number) ?? 'there is none', 80)}. Write the number into the text yourself, and take "invoice" out of the action.`,
    )
  if (document === undefined && invoice.document === 'required')
    return no(
      'invoice-document-missing',
      `The invoice was posted as ${number}, and there is no document of it to attach. To send the mail without one, write "document: optional" under "invoice:" and approve it again.`,
    )
  const own = mail.attachments ?? []
  const isThere = own.some(({ sha256 }) => sha256 === document?.sha256)
  const attachments = [...own, ...(document && !isThere ? [document] : [])]
  const filled = emailActionSchema.safeParse({
    ...mail,
    body: mail.body.replaceAll(INVOICE_SLOT, () => number),
    ...(attachments.length > 0 && { attachments }),
  })
  if (filled.success) return { ok: true, action: filled.data }
  const issue = filled.error.issues[0]
  return no(
    'invoice-does-not-fit',
    `With the invoice the mail could not be sent: ${issue?.path.join('.')}: ${issue?.message}.`,
  )
}

/** The name under which an invoice's document is attached: `INV-2026-00012.pdf`. */
export function documentName(number: unknown, path: string): string {
  const ending = /\.[a-z0-9]{1,8}$/.exec(path)?.[0] ?? ''
  const stem = typeof number === 'string' && NUMBER.test(number) ? number.replace(/[^A-Za-z0-9]+/g, '-') : 'invoice'
  return `${stem}${ending}`
}

interface Sum {
  readonly total: string
  readonly currency: string
}

function isSameAmount(one: Sum, other: Sum): boolean {
  return one.currency === other.currency && plainDecimal(one.total) === plainDecimal(other.total)
}

function shown({ total, currency }: Sum): string {
  return oneLine(`${total} ${currency}`, 40)
}

function no(rule: string, say: string): FilledMail {
  return { ok: false, rule, say }
}
