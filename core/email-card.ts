import { type CardRow, code } from './card-text.ts'
import type { EmailAction } from './email-action.ts'

/** What a mail is, in the rows of its card. */
export function emailRows(action: EmailAction): CardRow[] {
  return [
    ['What happens', `one e-mail is sent from ${code(action.account)}`],
    ['To', action.to.map(code).join(', ')],
    ...(action.cc.length > 0 ? [['Copy to', action.cc.map(code).join(', ')] as CardRow] : []),
    ['Subject', code(action.subject)],
    ['Thread', threadOf(action)],
    ['Attachments', 'none'],
  ]
}

function threadOf(action: EmailAction): string {
  if (action.in_reply_to) return `answers ${code(action.in_reply_to)}`
  return action.references.length > 0 ? `belongs to ${action.references.map(code).join(', ')}` : 'starts a new one'
}
