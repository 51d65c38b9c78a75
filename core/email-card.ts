import { type Attachment, shownSize } from './attachment.ts'
import { type CardRow, code } from './card-text.ts'
import type { EmailAction } from './email-action.ts'
import { readableDomain } from './mail-address.ts'

/** What a mail is, in the rows of its card. */
export function emailRows(action: EmailAction): CardRow[] {
  return [
    ['What happens', `one e-mail is sent from ${code(action.account)}`],
    ['To', action.to.map(shownAddress).join(', ')],
    ...(action.cc.length > 0 ? [['Copy to', action.cc.map(shownAddress).join(', ')] as CardRow] : []),
    ['Subject', code(action.subject)],
    ['Thread', threadOf(action)],
    ['Attachments', action.attachments?.map(shownFile).join('<br>') ?? 'none'],
  ]
}

/** A domain in its international form is shown beside the one that is written. */
function shownAddress(address: string): string {
  const readable = readableDomain(address)
  return readable === undefined ? code(address) : `${code(address)} (${code(readable)})`
}

function shownFile({ name, path, size, sha256, type }: Attachment): string {
  return `${code(name)} (${code(type)}, ${shownSize(Number(size))}, SHA-256 ${code(sha256)}): [[${path}]]`
}

function threadOf(action: EmailAction): string {
  if (action.in_reply_to) return `answers ${code(action.in_reply_to)}`
  return action.references.length > 0 ? `belongs to ${action.references.map(code).join(', ')}` : 'starts a new one'
}
