import { z } from 'zod'
import type { ActionFault, ActionLimits } from './action.ts'
import { attachmentsSchema } from './attachment.ts'
import { hiddenMarkup, sayHidden } from './hidden-markup.ts'
import { announcedInvoice, withoutSlot } from './invoice-slot.ts'
import { canonicalAddress } from './mail-address.ts'
import { BODY_CONTROL, codePointOf, visibleLine } from './visible-text.ts'

/** A bare address in its one spelling: display names are not part of what is countersigned. */
const address = z
  .string()
  .max(320)
  .refine((text) => canonicalAddress(text) !== undefined, 'not a plain e-mail address')
  .transform((text) => canonicalAddress(text) ?? text)
const messageId = z
  .string()
  .max(998)
  .regex(/^<[^<>\s\p{Cs}]+>$/u, 'not a Message-ID in angle brackets')

/** `email.send_email`: its fields stand in front matter; the body is the note's draft section. */
export const emailActionSchema = z.strictObject({
  tool: z.literal('email.send_email'),
  account: address,
  to: z.array(address).min(1).max(20),
  cc: z.array(address).max(20).default([]),
  subject: visibleLine(500),
  in_reply_to: messageId.optional(),
  references: z.array(messageId).max(50).default([]),
  attachments: attachmentsSchema.optional(),
  /** The mail speaks of an invoice that is posted first: its number and document are put in when the mail goes out. */
  invoice: announcedInvoice.optional(),
  body: z
    .string()
    .min(1)
    .max(100_000)
    .refine((text) => !BODY_CONTROL.test(text), 'contains control characters'),
})

/** What the tool receives: nothing is open in it any more. */
export const readyEmailSchema = emailActionSchema.omit({ invoice: true })

/** Everything that is sent, and nothing that is not: what the digest covers. */
export type EmailAction = z.output<typeof emailActionSchema>

/** What a template leaves for the person to fill in: {{name}} or [[name]]. */
const PLACEHOLDER = /\{\{[^{}\n]{0,80}\}\}|\[\[[^[\]\n]{1,80}\]\]/
/** Bidirectional overrides and tag characters in the text: they make a reader see something else than what is there. */
const DECEPTIVE = /[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u

/** Why this mail may not go from this machine, or not as it stands. */
export function emailFault(action: EmailAction, limits: ActionLimits): ActionFault | undefined {
  if (action.account !== limits.account)
    return {
      rule: 'account-unknown',
      say: `This machine sends from ${limits.account} only, not from ${action.account}.`,
    }
  const recipientCount = action.to.length + action.cc.length
  if (recipientCount > limits.maxRecipients)
    return {
      rule: 'too-many-recipients',
      say: `${recipientCount} recipients; at most ${limits.maxRecipients} are allowed.`,
    }
  return textFault(action.invoice ? withoutSlot(action.body) : action.body)
}

/** What makes a text unfit to go out, whatever carries it. */
export function textFault(body: string): ActionFault | undefined {
  const placeholder = PLACEHOLDER.exec(body)?.[0]
  if (placeholder !== undefined)
    return { rule: 'placeholder-left', say: `The draft still contains a place to fill in: ${placeholder}` }
  const hidden = DECEPTIVE.exec(body)?.[0]
  if (hidden !== undefined)
    return {
      rule: 'draft-hidden-characters',
      say: `The draft contains an invisible character (${codePointOf(hidden)}).`,
    }
  const unseen = hiddenMarkup(body)
  return unseen && { rule: 'draft-hidden-text', say: sayHidden(unseen) }
}
