import { z } from 'zod'
import type { ActionFault, ActionLimits } from './action.ts'
import { type CardRow, code } from './card-text.ts'
import { textFault } from './email-action.ts'
import type { ActionParts } from './risk.ts'
import { BODY_CONTROL, visibleLine } from './visible-text.ts'
import { type ChatRule, chatIdSchema, chatKind, isChatAllowed, numberOf, phoneNumberSchema } from './whatsapp-chat.ts'

/** What this machine may do on WhatsApp, by its settings. */
export interface WhatsAppLimits {
  readonly chats: ChatRule
}

/** WhatsApp takes more, and nobody reads it. */
const MAX_TEXT = 4_096

/** `whatsapp.send_message`: one text into one chat. */
export const sendMessageSchema = z
  .strictObject({
    tool: z.literal('whatsapp.send_message'),
    chat: chatIdSchema,
    /** The number behind the chat, where it is known. */
    number: phoneNumberSchema.optional(),
    /** What they call themselves: anybody can choose any name. */
    name: visibleLine(100).optional(),
    body: z
      .string()
      .min(1)
      .max(MAX_TEXT)
      .refine((text) => !BODY_CONTROL.test(text), 'contains control characters'),
  })
  .superRefine(({ chat, number }, context) => {
    const fault = (message: string) => context.addIssue({ code: 'custom', path: ['number'], message })
    const shown = numberOf(chat)
    if (shown !== undefined && number !== undefined && number !== shown) fault(`the chat is that of ${shown}`)
    if (chatKind(chat) === 'group' && number !== undefined) fault('a group has none')
  })

export type SendMessageAction = z.output<typeof sendMessageSchema>

/** Why this message may not go from this machine, or not as it stands. */
export function messageFault(action: SendMessageAction, { whatsapp }: ActionLimits): ActionFault | undefined {
  if (whatsapp === undefined)
    return { rule: 'whatsapp-off', say: 'WhatsApp is not set up on this machine (docs/whatsapp.md).' }
  if (!isChatAllowed({ id: action.chat, number: action.number }, whatsapp.chats)) {
    const what = chatKind(action.chat) === 'group' ? 'This group' : 'This chat'
    return {
      rule: 'chat-not-allowed',
      say: `${what} is none of those that are answered here: ${action.chat}. COUNTERSIGN_WHATSAPP_CHATS names them.`,
    }
  }
  return textFault(action.body)
}

/** What a message is, in the rows of its card. */
export function messageRows(action: SendMessageAction): CardRow[] {
  const isGroup = chatKind(action.chat) === 'group'
  return [
    ['What happens', `one WhatsApp message is sent ${isGroup ? 'into a group' : 'to one person'}`],
    [isGroup ? 'Group' : 'To', isGroup ? code(action.chat) : code(shownNumber(action) ?? 'number hidden by WhatsApp')],
    ['Name', action.name === undefined ? 'none' : `${code(action.name)}; they chose it themselves, it proves nothing`],
    ...(isGroup ? [['Seen by', 'everybody in the group'] as CardRow] : [['Chat', code(action.chat)] as CardRow]),
    ['Length', `${action.body.length} of ${MAX_TEXT} characters`],
  ]
}

export function messageParts(action: SendMessageAction): ActionParts {
  return { recipients: [], text: action.body, attachments: [] }
}

export function messageBrief(action: SendMessageAction): string {
  return `WhatsApp message to ${whoOf(action)}`
}

export function messageDone(action: SendMessageAction): string {
  return `sent on WhatsApp to ${whoOf(action)}`
}

/** The number, which is known, before the name, which they chose. */
export function whoOf(action: Pick<SendMessageAction, 'chat' | 'number' | 'name'>): string {
  return shownNumber(action) ?? action.name ?? action.chat
}

function shownNumber({ chat, number }: Pick<SendMessageAction, 'chat' | 'number'>): string | undefined {
  return numberOf(chat) ?? number
}
