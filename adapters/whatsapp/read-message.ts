import type { Message } from 'whatsapp-web.js'
import { chatKind, isPhoneNumber, numberOf } from '#core/whatsapp-chat.ts'
import { type ChatMessage, chatMessageSchema, MAX_BODY, type Media } from '#core/whatsapp-message.ts'

/** What of WhatsApp's own data no field of the library's message says. */
interface RawData {
  readonly notifyName?: unknown
  readonly size?: unknown
  readonly mimetype?: unknown
  readonly filename?: unknown
  readonly latestEditMsgKey?: unknown
  readonly latestEditSenderTimestampMs?: unknown
  readonly protocolMessageKey?: { readonly _serialized?: unknown }
}

/** What is known of a chat's person beside the message. */
export interface Person {
  readonly number?: string | undefined
  readonly isContact?: boolean | undefined
}

/** The chat that a message stands in; undefined for what is no chat with people (status, channels, broadcasts). */
export function chatOf(message: Message): string | undefined {
  const remote: unknown = message.id.remote
  const id = typeof remote === 'string' ? remote : message.fromMe ? message.to : message.from
  return typeof id === 'string' && chatKind(id) !== undefined ? id : undefined
}

/** `+49…` of `49…@c.us`, as WhatsApp tells who is behind a hidden number. */
export function numberFrom(pn: string | undefined): string | undefined {
  const number = pn === undefined ? undefined : numberOf(pn)
  return number !== undefined && isPhoneNumber(number) ? number : undefined
}

/** The message in our words; undefined when it is not one of a chat, or of no form that we know. Never throws. */
export function readMessage(message: Message, person: Person = {}): ChatMessage | undefined {
  const chat = chatOf(message)
  if (chat === undefined) return undefined
  const raw = (message as unknown as { readonly _data?: RawData })._data ?? {}
  const isDeleted = message.type === 'revoked'
  const original = raw.protocolMessageKey?._serialized
  const number = chatKind(chat) === 'group' ? undefined : (numberOf(chat) ?? person.number)
  const media = isDeleted ? undefined : mediaOf(message, raw)
  const read = chatMessageSchema.safeParse({
    id: isDeleted && typeof original === 'string' ? original : message.id._serialized,
    chat,
    ...(number !== undefined && { number }),
    ...(typeof raw.notifyName === 'string' && raw.notifyName !== '' && { name: raw.notifyName.slice(0, 200) }),
    ...(typeof message.author === 'string' && { author: message.author.slice(0, 60) }),
    from_me: Boolean(message.fromMe),
    at: Math.max(0, Math.trunc(Number(message.timestamp) || 0)) * 1000,
    type: String(message.type).slice(0, 40),
    body: isDeleted ? '' : String(message.body ?? '').slice(0, MAX_BODY),
    state: isDeleted ? 'deleted' : isEdited(raw) ? 'edited' : 'whole',
    ...(typeof message.ack === 'number' && { ack: message.ack }),
    ...(person.isContact !== undefined && { is_contact: person.isContact }),
    ...(media && { media }),
  })
  return read.success ? read.data : undefined
}

function isEdited(raw: RawData): boolean {
  return raw.latestEditMsgKey !== undefined || raw.latestEditSenderTimestampMs !== undefined
}

function mediaOf(message: Message, raw: RawData): Media | undefined {
  if (!message.hasMedia) return undefined
  return {
    type: String(raw.mimetype ?? 'application/octet-stream').slice(0, 100),
    size: Math.max(0, Math.trunc(Number(raw.size) || 0)),
    ...(typeof raw.filename === 'string' && raw.filename !== '' && { name: raw.filename.slice(0, 255) }),
  }
}
