import { z } from 'zod'

/**
 * How WhatsApp names a chat: `4915123456789@c.us` by its number, `81234567890123@lid` where the number is hidden behind an id,
 * `120363012345678901@g.us` for a group. What else there is (broadcasts, channels, the status) is never answered.
 */
const PERSON = /^[1-9]\d{4,14}@c\.us$/
const HIDDEN = /^[1-9]\d{4,24}@lid$/
const GROUP = /^\d{5,25}(?:-\d{5,15})?@g\.us$/
const NUMBER = /^\+[1-9]\d{4,14}$/

export type ChatKind = 'number' | 'hidden' | 'group'

/** What kind of chat an id names; undefined for one that is no chat of ours. */
export function chatKind(id: string): ChatKind | undefined {
  if (PERSON.test(id)) return 'number'
  if (HIDDEN.test(id)) return 'hidden'
  return GROUP.test(id) ? 'group' : undefined
}

/** `+4915123456789` of a chat that is named by its number. */
export function numberOf(id: string): string | undefined {
  return PERSON.test(id) ? `+${id.slice(0, id.indexOf('@'))}` : undefined
}

/** A telephone number as it stands in tasks: `+` and its digits, nothing between them. */
export function isPhoneNumber(text: string): boolean {
  return NUMBER.test(text)
}

export const chatIdSchema = z
  .string()
  .max(60)
  .refine((id) => chatKind(id) !== undefined, 'no chat of WhatsApp such as 4915123456789@c.us')
export const phoneNumberSchema = z.string().max(16).refine(isPhoneNumber, 'no number such as +4915123456789')

/** Which chats become tasks and may be answered. `all-people`: every chat with one person; groups only by name. */
export type ChatRule = 'all-people' | readonly string[]

/** Whether a chat is one of those that the owner named, or of those that count without being named. */
export function isChatAllowed(
  chat: { readonly id: string; readonly number?: string | undefined },
  rule: ChatRule,
): boolean {
  const kind = chatKind(chat.id)
  if (kind === undefined) return false
  if (rule === 'all-people') return kind !== 'group'
  const number = numberOf(chat.id) ?? chat.number
  return rule.includes(chat.id) || (kind !== 'group' && number !== undefined && rule.includes(number))
}

/** `+49 151 2345-6789, 120363012345678901@g.us` as the owner writes it; undefined when one of them is neither. */
export function readChatRule(text: string): ChatRule | undefined {
  if (text.trim() === '') return 'all-people'
  const named = text.split(',').map((one) => {
    const trimmed = one.trim()
    return trimmed.startsWith('+') ? trimmed.replace(/[ ()./-]/g, '') : trimmed
  })
  return named.every((one) => isPhoneNumber(one) || chatKind(one) !== undefined) ? [...new Set(named)] : undefined
}

/** The same as a setting; absent: `all-people`. */
export const chatRuleList = z
  .string()
  .optional()
  .transform((written, context): ChatRule => {
    const rule = readChatRule(written ?? '')
    if (rule !== undefined) return rule
    context.addIssue({
      code: 'custom',
      message: 'expected numbers (+4915123456789) and ids of groups (…@g.us), between commas',
    })
    return z.NEVER
  })
