import { createHash } from 'node:crypto'
import { domainToASCII } from 'node:url'
import PostalMime, { type Address, type Attachment, type Email, type PostalMimeOptions } from 'postal-mime'
import type { IncomingAttachment, IncomingMail, MailAddress, RawMail } from '#core/ports/mail.ts'
import { beginningOf, MAX_LINES } from './beginning.ts'
import { htmlToPlainText } from './html-text.ts'

/** A larger attachment is named in the task and stays in the mailbox. */
export const MAX_ATTACHMENT_BYTES = 5 * 1024 * 1024
const MAX_ATTACHMENTS = 50
const MAX_TEXT_CHARS = 500_000
const MAX_ADDRESSES = 100
const MAX_REFERENCES = 200
const MAX_HEADER_BYTES = 256 * 1024

const OPTIONS: PostalMimeOptions = {
  // A forwarded message stays a file: its text is not the sender's text.
  forceRfc822Attachments: true,
  maxNestingDepth: 50,
  maxHeadersSize: MAX_HEADER_BYTES,
}

/** Reads a message within limits. Never throws: a broken one gives what could be read and says so in `problems`. */
export async function parseMail(raw: RawMail): Promise<IncomingMail> {
  const problems: string[] = []
  const isCut = raw.source.length < raw.size
  if (isCut) problems.push(`The message is large (${raw.size} bytes); only its beginning was read.`)
  const source = beginningOf(raw.source)
  const isLong = source.length < raw.source.length
  if (isLong) problems.push(`The message has more than ${MAX_LINES} lines; only its beginning was read.`)
  const email = await readable(source, problems)
  const attachments = isCut || isLong ? raw.declaredAttachments : attachmentsOf(email.attachments)
  return {
    ...addressesOf(email),
    ...threadOf(email),
    subject: repairedHeader(email.subject ?? ''),
    receivedAt: raw.receivedAt,
    text: textOf(email, problems),
    attachments: withinCount(attachments, problems),
    headers: headersOf(email),
    digest: createHash('sha256').update(raw.source).digest('hex'),
    problems,
  }
}

/** The parsed message; when it is refused as a whole, its head alone; when that is refused too, nothing of it. */
async function readable(source: Uint8Array, problems: string[]): Promise<Email> {
  try {
    return await PostalMime.parse(source, OPTIONS)
  } catch {
    problems.push('The message is damaged; only its headers could be read.')
  }
  try {
    return await PostalMime.parse(headOf(source), { ...OPTIONS, maxHeadersSize: 2 * MAX_HEADER_BYTES })
  } catch {
    problems.push('Its headers could not be read either.')
    return { headers: [], headerLines: [], attachments: [] }
  }
}

/** Everything before the first empty line, without the field that says how the body is built. */
function headOf(source: Uint8Array): Buffer {
  const text = Buffer.from(source.subarray(0, MAX_HEADER_BYTES)).toString('latin1')
  const end = text.search(/\r?\n\r?\n/)
  const head = (end < 0 ? text : text.slice(0, end)).replace(/^content-[^\n]*\n?(?:[ \t][^\n]*\n?)*/gim, '')
  return Buffer.from(`${head.trimEnd()}\r\n\r\n`, 'latin1')
}

function textOf(email: Email, problems: string[]): string {
  const text = plainOrHtml(email, problems)
  if (text.length <= MAX_TEXT_CHARS) return text
  problems.push(`The text was cut after ${MAX_TEXT_CHARS} characters.`)
  return text.slice(0, MAX_TEXT_CHARS)
}

function plainOrHtml(email: Email, problems: string[]): string {
  if (email.text?.trim()) return email.text
  if (!email.html?.trim()) return ''
  try {
    return htmlToPlainText(email.html)
  } catch {
    problems.push('Its HTML text could not be read.')
    return ''
  }
}

function attachmentsOf(parts: readonly Attachment[]): IncomingAttachment[] {
  return parts.map((part) => {
    const bytes = bytesOf(part.content)
    const kept = bytes.length > 0 && bytes.length <= MAX_ATTACHMENT_BYTES
    return {
      fileName: part.filename ?? (part.mimeType === 'message/rfc822' ? 'forwarded-message.eml' : 'unnamed'),
      contentType: part.mimeType,
      size: bytes.length,
      ...(kept && { content: { sha256: createHash('sha256').update(bytes).digest('hex'), bytes } }),
    }
  })
}

function bytesOf(content: Attachment['content']): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content)
  return content instanceof Uint8Array ? content : new Uint8Array(content)
}

function withinCount(attachments: readonly IncomingAttachment[], problems: string[]): IncomingAttachment[] {
  if (attachments.length > MAX_ATTACHMENTS)
    problems.push(`It has ${attachments.length} attachments; only the first ${MAX_ATTACHMENTS} are named.`)
  return attachments.slice(0, MAX_ATTACHMENTS)
}

function addressesOf(email: Email): Pick<IncomingMail, 'from' | 'replyTo' | 'to' | 'cc'> {
  const [from] = flat([...(email.from ? [email.from] : []), ...(email.sender ? [email.sender] : [])])
  return { ...(from && { from }), replyTo: flat(email.replyTo), to: flat(email.to), cc: flat(email.cc) }
}

/** Groups dissolved, without entries that name no address. */
function flat(addresses: readonly Address[] = []): MailAddress[] {
  return addresses
    .flatMap((one) => (one.group ? one.group : [one]))
    .filter((one) => one.address?.includes('@'))
    .slice(0, MAX_ADDRESSES)
    .map((one) => ({ name: repairedHeader(one.name), address: asciiDomain(one.address) }))
}

/** `Kunde@BÜCHER.example` → `Kunde@xn--bcher-kva.example`: one spelling to compare, and a look-alike shows. */
function asciiDomain(address: string): string {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1).trim()
  return `${address.slice(0, at).trim()}@${domainToASCII(domain) || domain.toLowerCase()}`
}

function threadOf(email: Email): Pick<IncomingMail, 'messageId' | 'references'> {
  const [messageId] = idsIn(email.messageId)
  const references = idsIn(`${email.references ?? ''} ${email.inReplyTo ?? ''}`)
  return { ...(messageId && { messageId }), references: [...new Set(references)].slice(0, MAX_REFERENCES) }
}

/** Message-IDs of visible ASCII and sane length; others could not be answered in a header. */
function idsIn(text = ''): string[] {
  return text.slice(0, 50_000).match(/<[!-;=?-~]{1,248}>/g) ?? []
}

function headersOf(email: Email): Map<string, string[]> {
  const headers = new Map<string, string[]>()
  for (const { key, value } of email.headers) {
    const known = headers.get(key)
    if (known) known.push(value)
    else headers.set(key, [value])
  }
  return headers
}

/** Some Japanese senders put raw ISO-2022-JP into headers; its escape sequences tell it apart. */
function repairedHeader(text: string): string {
  if (!/\u001b\$[@B]/.test(text)) return text
  return new TextDecoder('iso-2022-jp').decode(Buffer.from(text, 'latin1'))
}
