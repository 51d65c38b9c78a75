import { createHash } from 'node:crypto'
import { makeTaskId, type TaskId } from './ids.ts'
import { canonicalAddress } from './mail-address.ts'
import type { IncomingMail, MailAddress } from './ports/mail.ts'

export const NO_SUBJECT = '(no subject)'
/**
 * Says the Message-ID once more: some providers (Gmail, Outlook) give what they send one of their own, and what was sent
 * must be found again.
 */
export const OWN_ID_HEADER = 'X-Countersign-ID'

/** Why a message becomes no task: nobody waits for an answer, or an answer could start a loop. */
export type SkipReason =
  | 'no-sender'
  | 'own-message'
  | 'auto-submitted'
  | 'auto-reply'
  | 'bulk'
  | 'mailing-list'
  | 'delivery-report'
  | 'no-reply-sender'
  /** The owner's rules say so. */
  | 'handbook'
  /** Bulk mail that does not say so in its headers. */
  | 'newsletter'

type Classified = Pick<IncomingMail, 'headers' | 'from'>

const NO_REPLY =
  /^(?:no|do[-_.]?not|dont|not)[-_.]?repl(?:y|ies)\b|^(?:mailer-daemon|postmaster|bounces?|auto-?reply|autoresponder)(?:[-_.+=@]|$)/

/** In this order; the first that holds is the reason that is told. */
const SKIP_RULES: readonly (readonly [SkipReason, (mail: Classified, own: ReadonlySet<string>) => boolean])[] = [
  ['delivery-report', (mail) => /^multipart\/report\b/.test(header(mail, 'content-type'))],
  ['delivery-report', (mail) => mail.headers.get('return-path')?.[0]?.trim() === '<>'],
  ['auto-submitted', (mail) => !['', 'no'].includes(header(mail, 'auto-submitted').split(/[\s;(]/)[0] ?? '')],
  ['auto-reply', (mail) => AUTO_REPLY_HEADERS.some((name) => mail.headers.has(name))],
  ['auto-reply', (mail) => /\b(?:all|autoreply|oof)\b/.test(header(mail, 'x-auto-response-suppress'))],
  ['bulk', (mail) => /^(?:bulk|list|junk|auto_reply)\b/.test(header(mail, 'precedence'))],
  ['mailing-list', (mail) => LIST_HEADERS.some((name) => mail.headers.has(name))],
  ['no-sender', (mail) => !mail.from?.address],
  ['own-message', (mail, own) => own.has(mail.from?.address.toLowerCase() ?? '')],
  ['no-reply-sender', (mail) => NO_REPLY.test(mail.from?.address.toLowerCase() ?? '')],
]
const AUTO_REPLY_HEADERS = ['x-autoreply', 'x-autorespond', 'x-auto-reply', 'x-autoresponder']
const LIST_HEADERS = ['list-id', 'list-unsubscribe', 'list-post', 'mailing-list']

/** Why a message, by its headers and sender, would become no task; empty: nothing speaks against one. `ownAddresses` are those the owner writes from, lower case. */
export function skipReasons(mail: Classified, ownAddresses: ReadonlySet<string>): SkipReason[] {
  return [...new Set(SKIP_RULES.flatMap(([reason, holds]) => (holds(mail, ownAddresses) ? [reason] : [])))]
}

function header(mail: Classified, name: string): string {
  return (mail.headers.get(name)?.[0] ?? '').trim().toLowerCase()
}

/** What a reader does not see; an action's subject may not contain it. */
const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+/gu

/**
 * A mail's decoded subject, to stand in a task file and in the reply: one line, nothing that cannot be seen, at most 490
 * characters. Only the delimiters of Templater are broken, because that acts on raw text wherever it stands.
 */
export function plainSubject(subject: string): string {
  return subject
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(UNSEEN, '')
    .replaceAll('<%', '‹%')
    .replaceAll('%>', '%›')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 490)
    .toWellFormed()
}

/** `Re: ` once, whatever reply marks stand before; one line. */
export function replySubject(subject: string): string {
  const bare = plainSubject(subject)
    .replace(/^\s*(?:(?:re|aw|sv|antw)\s*(?:\[\d+\])?\s*:\s*)+/i, '')
    .trim()
  return `Re: ${bare || NO_SUBJECT}`.slice(0, 490).toWellFormed()
}

/** The usual form of an address: plain ASCII, no quoting. */
const PLAIN_ADDRESS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/
const MAX_REPLY_TO = 5

export interface ReplyRecipients {
  /** Empty when no address can be answered. */
  readonly to: readonly string[]
  readonly risk: readonly ('reply-to-differs' | 'sender-address-unusual' | 'sender-name-shows-other-address')[]
}

/** Who a reply goes to: Reply-To where given (as mail programs do), else the sender. What is odd about it is flagged. */
export function replyRecipients(mail: Pick<IncomingMail, 'from' | 'replyTo'>): ReplyRecipients {
  const sender = mail.from?.address ?? ''
  const asked = mail.replyTo.map((one) => one.address).filter(canBeNamed)
  const wanted = asked.length > 0 ? asked.slice(0, MAX_REPLY_TO) : [sender].filter(canBeNamed)
  const to = [...new Map(wanted.map((address) => [address.toLowerCase(), address])).values()]
  const risk: ReplyRecipients['risk'][number][] = []
  if (to.some((address) => address.toLowerCase() !== sender.toLowerCase())) risk.push('reply-to-differs')
  if (!PLAIN_ADDRESS.test(sender) || /(?:^|\.)xn--/.test(sender.split('@')[1] ?? ''))
    risk.push('sender-address-unusual')
  if (mail.from && nameShowsOtherAddress(mail.from)) risk.push('sender-name-shows-other-address')
  return { to, risk }
}

/** The same form an action is allowed to carry. */
function canBeNamed(address: string): boolean {
  return canonicalAddress(address) !== undefined
}

/** `"boss@bank.example" <thief@evil.example>`: many programs show only the name. */
function nameShowsOtherAddress(from: MailAddress): boolean {
  const shown = /[^\s<>"']+@[^\s<>"']+\.[^\s<>"']+/.exec(from.name)?.[0]
  return shown !== undefined && shown.toLowerCase() !== from.address.toLowerCase()
}

const MAX_REFERENCES = 20

/** The References of a reply: the message's own chain (its first and newest ids when long), then the message itself. */
export function replyReferences(references: readonly string[], messageId: string | undefined): string[] {
  const chain = [...new Set([...references, ...(messageId ? [messageId] : [])])]
  return chain.length <= MAX_REFERENCES ? chain : [...chain.slice(0, 1), ...chain.slice(1 - MAX_REFERENCES)]
}

/** Names the thread: the first message of the References chain, else the message itself. */
export function threadIdOf(mail: Pick<IncomingMail, 'references' | 'messageId' | 'digest'>): string {
  return mail.references[0] ?? mail.messageId ?? `sha256:${mail.digest}`
}

/** The same message of the same account has the same key, wherever and however often the mailbox shows it (hex). */
export function mailKey(account: string, mail: Pick<IncomingMail, 'messageId' | 'digest'>): string {
  return createHash('sha256')
    .update(`${account.toLowerCase()}\n${mail.messageId ?? `sha256:${mail.digest}`}`)
    .digest('hex')
}

/** Derives the task's id from the message, so that doing triage again gives the same file. */
export function mailTaskId(key: string, receivedAt: number): TaskId {
  return makeTaskId(receivedAt, Buffer.from(key, 'hex'))
}
