import { createHash } from 'node:crypto'
import { z } from 'zod'
import { chatIdSchema, phoneNumberSchema } from './whatsapp-chat.ts'

/** Of a text, so much is kept. */
export const MAX_BODY = 20_000

/** What came with a message. Its bytes stay in the WhatsApp service's own folder, under their digest. */
export const mediaSchema = z.strictObject({
  /** As the sender's program says. */
  type: z.string().max(100),
  /** Bytes. */
  size: z.number().int().nonnegative(),
  name: z.string().max(255).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Why its bytes were not kept. */
  missing: z.string().max(200).optional(),
})
export type Media = z.output<typeof mediaSchema>

/** A message as it stands in its chat now. It is a stranger's: whoever shows a part of it makes it inert. */
export const chatMessageSchema = z.strictObject({
  id: z.string().min(1).max(300),
  chat: chatIdSchema,
  /** The number behind the chat, where WhatsApp tells it. */
  number: phoneNumberSchema.optional(),
  /** What the writer calls themselves. */
  name: z.string().max(200).optional(),
  /** Who wrote it, in a group. */
  author: z.string().max(60).optional(),
  from_me: z.boolean(),
  /** ms since the epoch, by WhatsApp's clock, to the second. */
  at: z.number().int().nonnegative(),
  /** WhatsApp's word for what it is: `chat`, `image`, `ptt`, `location` … */
  type: z.string().max(40),
  body: z.string().max(MAX_BODY),
  state: z.enum(['whole', 'edited', 'deleted']),
  /** -1: failed, 0: not at the server yet, 1: there, 2: delivered, 3: read, 4: played. */
  ack: z.number().int().min(-1).max(10).optional(),
  /** Whether the number stands in the telephone's contacts. */
  is_contact: z.boolean().optional(),
  media: mediaSchema.optional(),
  /** Of one that was sent from here: by which task. */
  task: z.string().max(26).optional(),
})
export type ChatMessage = z.output<typeof chatMessageSchema>

/** The same for the same message in the same state (hex): a message that was edited or deleted has another. */
export function messageKey({ id, state, body }: Pick<ChatMessage, 'id' | 'state' | 'body'>): string {
  const now = state === 'edited' ? ['edited', body] : [state]
  return createHash('sha256')
    .update(JSON.stringify(['whatsapp', id, ...now]))
    .digest('hex')
}

/** What nobody has written: notices of the program, keys that changed, calls. */
const NOT_WRITTEN: ReadonlySet<string> = new Set([
  ...['e2e_notification', 'notification', 'notification_template', 'group_notification', 'broadcast_notification'],
  ...['gp2', 'protocol', 'ciphertext', 'call_log', 'reaction', 'debug', 'hsm', 'keep_in_chat', 'pinned_message'],
])

/** Whether somebody wrote it, so that it can be answered. */
export function isWritten({ type }: Pick<ChatMessage, 'type'>): boolean {
  return !NOT_WRITTEN.has(type)
}

/** So that this machine behaves as a person would; the handbook may ask for more. */
export interface Pacing {
  /** Between two messages, ms. */
  readonly gapMs: number
  /** In 24 hours, at most. */
  readonly perDay: number
}
const DAY_MS = 86_400_000

/** When the next message may be sent (ms). `sentAt`: when those before it were. */
export function nextSendAt(sentAt: readonly number[], { gapMs, perDay }: Pacing, now: number): number {
  const within = sentAt.filter((at) => at > now - DAY_MS && at <= now).sort((a, b) => b - a)
  const afterLast = within[0] === undefined ? now : within[0] + gapMs
  const oldest = within[perDay - 1]
  return Math.max(now, afterLast, oldest === undefined ? now : oldest + DAY_MS)
}

export interface SentQuery {
  readonly task: string
  readonly body: string
  /** When it was about to be sent, ms. */
  readonly since: number
}

/** The page takes the time of what it sends from this machine's clock, cut to the second. */
const CUT_MS = 1_000
/** So long after it was meant to be sent it may still have gone out by itself, when the connection came back. */
const LATEST_MS = 24 * 60 * 60_000

/**
 * The message of a task among those of its chat. No mark of ours can travel with a message: where the service did not live to
 * write down which one it was, it is the one of exactly this text that was sent from this account about that time, and
 * that no other task is known to have sent. What this cannot tell apart: the very same words typed by the owner by hand.
 */
export function findSent(messages: readonly ChatMessage[], { task, body, since }: SentQuery): ChatMessage | undefined {
  const own = messages.filter((one) => one.from_me && one.at >= since - CUT_MS)
  const known = own.find((one) => one.task === task)
  return known ?? own.find((one) => one.task === undefined && one.body === body && one.at <= since + LATEST_MS)
}
