import { z } from 'zod'
import { domainDigest } from './canonical-json.ts'
import { draftOf, type TaskFile } from './task-file.ts'

/** Control, bidirectional, zero-width and tag characters: what a person would not see must not be sent. */
export const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u2800]/u
const BODY_CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/

const visibleLine = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !INVISIBLE.test(text), 'contains invisible or control characters')
/** A bare address: display names are not part of what is countersigned. */
const address = z
  .string()
  .max(254)
  .regex(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'not a plain e-mail address')
const messageId = z
  .string()
  .max(998)
  .regex(/^<[^<>\s]+>$/, 'not a Message-ID in angle brackets')

/** The arguments of `email.send_email` as they stand in front matter; the body is the note's draft section. */
const emailArguments = z.strictObject({
  tool: z.literal('email.send_email'),
  account: address,
  to: z.array(address).min(1).max(20),
  cc: z.array(address).max(20).default([]),
  subject: visibleLine(500),
  in_reply_to: messageId.optional(),
  references: z.array(messageId).max(50).default([]),
})

export const emailActionSchema = emailArguments.extend({
  body: z
    .string()
    .min(1)
    .max(100_000)
    .refine((text) => !BODY_CONTROL.test(text), 'contains control characters'),
})

/** Everything that is sent, and nothing that is not: what the digest covers and what the tool receives. */
export type EmailAction = z.output<typeof emailActionSchema>
/** One action per file; other tools join this union. */
export type Action = EmailAction

export type ActionVerdict =
  | { readonly ok: true; readonly action: Action }
  | { readonly ok: false; readonly rule: string; readonly problem: string }

/** The action a task file asks for, strictly checked: an unknown tool or field is refused, not ignored. */
export function readAction(task: TaskFile): ActionVerdict {
  if (!task.front.action) return { ok: false, rule: 'action-missing', problem: 'the file has no action' }
  if (task.front.action.tool !== 'email.send_email') {
    return {
      ok: false,
      rule: 'action-tool',
      problem: `no such tool: ${JSON.stringify(task.front.action.tool.slice(0, 60))}`,
    }
  }
  const parsed = emailActionSchema.safeParse({ ...task.front.action, body: draftOf(task) ?? '' })
  if (parsed.success) return { ok: true, action: parsed.data }
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || issue?.code || 'action'
  if (field === 'body' && !draftOf(task)) return { ok: false, rule: 'action-body', problem: 'the draft is empty' }
  return {
    ok: false,
    rule: `action-${String(issue?.path[0] ?? 'field')}`,
    problem: `action, ${field}: ${issue?.message}`,
  }
}

/** `sha256:<hex>`: what a countersignature is bound to. */
export function actionDigest(action: Action): string {
  return domainDigest('countersign/action/v1', action)
}
