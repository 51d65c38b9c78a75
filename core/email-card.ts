import { type Attachment, shownSize } from './attachment.ts'
import { type CardRow, code } from './card-text.ts'
import type { EmailAction } from './email-action.ts'
import { shortId, type TaskId } from './ids.ts'
import { INVOICE_SLOT } from './invoice-slot.ts'
import { readableDomain } from './mail-address.ts'

/** What a mail is, in the rows of its card. */
export function emailRows(action: EmailAction): CardRow[] {
  return [
    ['What happens', `one e-mail is sent from ${code(action.account)}`],
    ['To', action.to.map(shownAddress).join(', ')],
    ...(action.cc.length > 0 ? [['Copy to', action.cc.map(shownAddress).join(', ')] as CardRow] : []),
    ['Subject', code(action.subject)],
    ['Thread', threadOf(action)],
    ...invoiceRow(action),
    ['Attachments', attachmentsOf(action)],
  ]
}

/** What is still open in the text, and where it will come from. */
function invoiceRow({ invoice, body }: EmailAction): CardRow[] {
  if (invoice === undefined) return []
  const sum = code(`${invoice.total} ${invoice.currency}`)
  const posted = `goes out once the invoice for ${code(invoice.customer)} over ${sum} is posted (task ${code(shortId(invoice.task as TaskId))})`
  const number = body.includes(INVOICE_SLOT)
    ? `its number is put in for ${code(INVOICE_SLOT)}`
    : `the text has no ${code(INVOICE_SLOT)}, so its number is not named`
  return [['Invoice', `${posted}; ${number}. Posted over another amount, this comes back to you`]]
}

function attachmentsOf({ attachments = [], invoice }: EmailAction): string {
  const files = attachments.map(shownFile)
  if (invoice !== undefined) files.push(DOCUMENT[invoice.document])
  return files.join('<br>') || 'none'
}

const DOCUMENT = {
  required: 'the document of the posted invoice; where the books make none, this comes back to you',
  optional: 'the document of the posted invoice; where the books make none, this goes out without',
} as const

/** A domain in its international form is shown beside the one that is written. */
function shownAddress(address: string): string {
  const readable = readableDomain(address)
  return readable === undefined ? code(address) : `${code(address)} (${code(readable)})`
}

/** A file of the vault as a card names it. */
export function shownFile({ name, path, size, sha256, type }: Attachment): string {
  return `${code(name)} (${code(type)}, ${shownSize(Number(size))}, SHA-256 ${code(sha256)}): [[${path}]]`
}

function threadOf(action: EmailAction): string {
  if (action.in_reply_to) return `answers ${code(action.in_reply_to)}`
  return action.references.length > 0 ? `belongs to ${action.references.map(code).join(', ')}` : 'starts a new one'
}
