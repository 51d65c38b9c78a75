import type { gmail_v1 } from '@googleapis/gmail'
import type { IncomingAttachment, RawMail } from '#core/ports/mail.ts'
import type { GmailReader } from './gmail-client.ts'
import { answerOf } from './gmail-faults.ts'

/** Of larger messages the head and the text are fetched only: their attachments stay in the mailbox. */
const MAX_WHOLE_BYTES = 12 * 1024 * 1024
const MAX_TEXT_BYTES = 1024 * 1024
const MAX_DEPTH = 50
const MASK = 'mimeType,filename,headers,body(size,attachmentId)'

/** undefined: it was deleted in the meantime, or thrown away. */
export async function fetchGmail(gmail: GmailReader, id: string): Promise<RawMail | undefined> {
  const about = await messageOf(gmail, { id, format: 'minimal' })
  if (!about || about.labelIds?.some((label) => label === 'TRASH' || label === 'SPAM')) return undefined
  const received = { receivedAt: receivedAt(about), declaredAttachments: [] }
  if ((about.sizeEstimate ?? 0) > MAX_WHOLE_BYTES) {
    const beginning = await fetchBeginning(gmail, id)
    return (
      beginning && { ...received, ...beginning, size: Math.max(about.sizeEstimate ?? 0, beginning.source.length + 1) }
    )
  }
  const source = Buffer.from((await messageOf(gmail, { id, format: 'raw' }))?.raw ?? '', 'base64url')
  return source.length === 0 ? undefined : { ...received, size: source.length, source }
}

/** Whether the message calls itself a report of a mail system. */
export async function isReport(gmail: GmailReader, id: string): Promise<boolean> {
  const message = await messageOf(gmail, { id, format: 'metadata', metadataHeaders: ['Content-Type'] })
  return /^\s*multipart\/report\b/i.test(headerOf(message, 'Content-Type'))
}

/** The value of a header, empty when there is none. */
export function headerOf(message: gmail_v1.Schema$Message | undefined, name: string): string {
  const found = message?.payload?.headers?.find((one) => one.name?.toLowerCase() === name.toLowerCase())
  return found?.value ?? ''
}

/** Within the years that dates of this program have. */
export function receivedAt(message: gmail_v1.Schema$Message): number {
  return Math.min(Math.max(Number(message.internalDate ?? 0) || 0, Date.UTC(2000, 0)), Date.UTC(2100, 0))
}

/** undefined: there is no such message (any more). */
export async function messageOf(
  gmail: GmailReader,
  asked: { id: string; format: 'minimal' | 'metadata' | 'full' | 'raw'; metadataHeaders?: string[]; fields?: string },
): Promise<gmail_v1.Schema$Message | undefined> {
  try {
    return (await gmail.users.messages.get({ userId: 'me', ...asked }, gmail.options)).data
  } catch (error) {
    if (answerOf(error).status === 404) return undefined
    throw error
  }
}

/** Head and text of a large message, as a message of its own; its files as Gmail describes them. */
async function fetchBeginning(
  gmail: GmailReader,
  id: string,
): Promise<Pick<RawMail, 'source' | 'declaredAttachments'> | undefined> {
  const fields = `payload(${MASK},parts(${MASK},parts(${MASK},parts(${MASK},parts))))`
  const shape = await messageOf(gmail, { id, format: 'full', fields })
  if (!shape) return undefined
  const texts = leavesOf(shape.payload).filter(isText)
  const isShort = texts.reduce((sum, { body }) => sum + (body?.size ?? 0), 0) <= MAX_TEXT_BYTES
  const full = isShort && texts.length > 0 ? await messageOf(gmail, { id, format: 'full' }) : undefined
  const found = leavesOf(full?.payload).filter(isText)
  const text = found.find(({ mimeType }) => mimeType === 'text/plain') ?? found[0]
  const head = (shape.payload?.headers ?? [])
    .filter(({ name }) => name && !/^(?:content-|mime-version)/i.test(name))
    .map(({ name, value }) => `${name}: ${(value ?? '').replace(/[\r\n]+/g, ' ')}\r\n`)
  const lines = [
    ...head,
    'MIME-Version: 1.0\r\n',
    `Content-Type: ${text?.mimeType ?? 'text/plain'}; charset=utf-8\r\n`,
    'Content-Transfer-Encoding: base64\r\n\r\n',
    Buffer.from(text?.body?.data ?? '', 'base64url')
      .toString('base64')
      .replace(/.{76}/g, '$&\r\n'),
    '\r\n',
  ]
  return { source: Buffer.from(lines.join('')), declaredAttachments: leavesOf(shape.payload).flatMap(attachmentOf) }
}

function leavesOf(part: gmail_v1.Schema$MessagePart | undefined, depth = 0): gmail_v1.Schema$MessagePart[] {
  if (!part || depth > MAX_DEPTH) return []
  return part.parts?.length ? part.parts.flatMap((child) => leavesOf(child, depth + 1)) : [part]
}

function isText({ mimeType, filename }: gmail_v1.Schema$MessagePart): boolean {
  return (mimeType === 'text/plain' || mimeType === 'text/html') && !filename
}

function attachmentOf(part: gmail_v1.Schema$MessagePart): IncomingAttachment[] {
  if (isText(part)) return []
  return [
    {
      fileName: part.filename || 'unnamed',
      contentType: part.mimeType ?? 'application/octet-stream',
      size: part.body?.size ?? 0,
    },
  ]
}
