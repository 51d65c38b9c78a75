import type { z } from 'zod'
import {
  amountsOf,
  type BooksAction,
  type PostInvoiceAction,
  postInvoiceSchema,
  type RecordPaymentAction,
  recordPaymentSchema,
} from './books-action.ts'
import { booksBrief, booksDone, booksRows } from './books-card.ts'
import { domainDigest } from './canonical-json.ts'
import type { CardRow } from './card-text.ts'
import { type EmailAction, emailActionSchema, emailFault } from './email-action.ts'
import { emailRows } from './email-card.ts'
import {
  type PaymentAction,
  type PaymentLimits,
  paymentFault,
  paymentParts,
  paymentSchema,
  sayLacking,
} from './payment-action.ts'
import { paymentBrief, paymentDone, paymentRows } from './payment-card.ts'
import type { ActionParts } from './risk.ts'
import {
  type CreatePostAction,
  createPostSchema,
  type PublishPostAction,
  publishPostSchema,
  type SocialLimits,
  socialFault,
  socialParts,
} from './social-action.ts'
import { socialBrief, socialDone, socialRows } from './social-card.ts'
import { draftOf, type TaskFile } from './task-file.ts'
import { typingFault } from './typing-fault.ts'
import type { Domain } from './vault-path.ts'
import { codePointOf, INVISIBLE } from './visible-text.ts'
import {
  messageBrief,
  messageDone,
  messageFault,
  messageParts,
  messageRows,
  type SendMessageAction,
  sendMessageSchema,
  type WhatsAppLimits,
} from './whatsapp-action.ts'
import { isLocalOnly } from './zone-policy.ts'

/** One action per file; each tool that acts has one line in `TOOLS`. */
export type Action =
  | EmailAction
  | PublishPostAction
  | CreatePostAction
  | PostInvoiceAction
  | RecordPaymentAction
  | PaymentAction
  | SendMessageAction
export type ToolName = Action['tool']
/** The way an action goes out. Channels act side by side, so that a slow one keeps no other waiting. */
export type ChannelName = 'email' | 'social' | 'books' | 'payment' | 'whatsapp'

/** What this machine may do, by its settings. */
export interface ActionLimits {
  /** The address this machine may send from. */
  readonly account: string
  readonly maxRecipients: number
  /** Unset: this machine posts nothing. */
  readonly social?: SocialLimits
  /** Unset: WhatsApp is not set up here. */
  readonly whatsapp?: WhatsAppLimits
  /** Unset: this machine pays nothing. */
  readonly payment?: PaymentLimits
}

export interface ActionFault {
  readonly rule: string
  /** For the person. */
  readonly say: string
}

interface ToolRules<A extends Action> {
  readonly channel: ChannelName
  /** The only domain whose tasks may do it; undefined: any. */
  readonly domain?: Domain
  /** Of the whole action: the fields of the front matter, and, where it has a text, `body`, the note's draft. */
  readonly schema: z.ZodType<A>
  /** Whether the note's draft is part of it. */
  readonly hasText: boolean
  fault(action: A, limits: ActionLimits): ActionFault | undefined
  /** What is done, in rows of the card. */
  rows(action: A): CardRow[]
  /** What it would give away, and to whom: by these its risk is judged. */
  parts(action: A): ActionParts
  /** What is done, in a few plain words of a list. Not escaped. */
  brief(action: A): string
  /** To whom it goes, as a list of what was done says it. Not escaped. */
  done(action: A): string
}

const SOCIAL = {
  channel: 'social',
  hasText: true,
  fault: socialFault,
  rows: socialRows,
  parts: socialParts,
  brief: socialBrief,
  done: socialDone,
} as const

const BOOKS = {
  channel: 'books',
  hasText: false,
  fault: () => undefined,
  rows: booksRows,
  parts: (action: BooksAction) => ({ recipients: [], text: '', attachments: [], amounts: amountsOf(action) }),
  brief: booksBrief,
  done: booksDone,
} as const

const TOOLS: { readonly [T in ToolName]: ToolRules<Extract<Action, { tool: T }>> } = {
  'email.send_email': {
    channel: 'email',
    hasText: true,
    schema: emailActionSchema,
    fault: emailFault,
    rows: emailRows,
    parts: ({ to, cc, subject, body, attachments = [] }) => ({
      recipients: [...to, ...cc],
      text: `${subject}\n${body}`,
      attachments: attachments.map(({ name }) => name),
    }),
    brief: (action) => `reply to ${action.to.join(', ')}`,
    done: (action) => `sent to ${action.to.join(', ')}`,
  },
  'social.publish_post': { ...SOCIAL, schema: publishPostSchema },
  'social.create_post': { ...SOCIAL, schema: createPostSchema },
  'payment.pay': {
    channel: 'payment',
    // Only such tasks stay on this machine.
    domain: 'payment',
    schema: paymentSchema,
    hasText: false,
    fault: paymentFault,
    rows: paymentRows,
    parts: paymentParts,
    brief: paymentBrief,
    done: paymentDone,
  },
  'odoo.post_invoice': { ...BOOKS, schema: postInvoiceSchema },
  'odoo.record_payment': { ...BOOKS, schema: recordPaymentSchema },
  'whatsapp.send_message': {
    channel: 'whatsapp',
    domain: 'whatsapp',
    hasText: true,
    schema: sendMessageSchema,
    fault: messageFault,
    rows: messageRows,
    parts: messageParts,
    brief: messageBrief,
    done: messageDone,
  },
}

/** The rules of an action's tool; undefined when no tool has this name. */
function rulesOf(tool: string): ToolRules<Action> | undefined {
  return Object.hasOwn(TOOLS, tool) ? TOOLS[tool as ToolName] : undefined
}

/** The rules of a tool that is known. */
function rules(action: Action): ToolRules<Action> {
  return TOOLS[action.tool]
}

export type ActionVerdict =
  | { readonly ok: true; readonly action: Action }
  | { readonly ok: false; readonly rule: string; readonly problem: string }

/** The action a task file asks for, strictly checked: an unknown tool or field is refused, not ignored. */
export function readAction(task: TaskFile): ActionVerdict {
  if (!task.front.action) return { ok: false, rule: 'action-missing', problem: 'the file has no action' }
  const tool = rulesOf(task.front.action.tool)
  if (!tool) {
    const named = JSON.stringify(task.front.action.tool.slice(0, 60))
    return { ok: false, rule: 'action-tool', problem: `no such tool: ${named}` }
  }
  const { domain } = task.front
  if (tool.domain !== undefined && tool.domain !== domain)
    return { ok: false, rule: 'action-domain', problem: `a task of ${domain} may not do ${task.front.action.tool}` }
  const text = tool.hasText ? { body: draftOf(task) ?? '' } : {}
  const parsed = tool.schema.safeParse({ ...task.front.action, ...text })
  if (parsed.success) return { ok: true, action: parsed.data }
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || issue?.code || 'action'
  if (field === 'body' && tool.hasText && !draftOf(task))
    return { ok: false, rule: 'action-body', problem: 'the draft is empty' }
  return {
    ok: false,
    rule: `action-${String(issue?.path[0] ?? 'field')}`,
    problem: `action, ${field}: ${issue?.message}`,
  }
}

/** The action that was journaled as JSON. Throws a ZodError when it is none. */
export function parseAction(json: string): Action {
  const value = JSON.parse(json) as { tool?: unknown }
  const tool = rulesOf(String(value.tool))
  return (tool?.schema ?? emailActionSchema).parse(value)
}

/** `sha256:<hex>`: what a countersignature is bound to. */
export function actionDigest(action: Action): string {
  return domainDigest('countersign/action/v1', action)
}

/** Why this machine may not do it, or not as it stands. */
export function actionFault(action: Action, limits: ActionLimits): ActionFault | undefined {
  return rules(action).fault(action, limits)
}

export function actionRows(action: Action): CardRow[] {
  return rules(action).rows(action)
}

export function partsOf(action: Action): ActionParts {
  return rules(action).parts(action)
}

/** The text that goes out, which the person may edit; undefined for an action without one. */
export function textOf(action: Action): string | undefined {
  return 'body' in action ? action.body : undefined
}

export function briefOf(action: Action): string {
  return rules(action).brief(action)
}

/** What was done, from the front matter of a finished task. */
export function doneOf(task: TaskFile): string {
  const read = readAction(task)
  const missed = task.front.outcome?.missed
  const parts = Array.isArray(missed) ? missed.filter((one) => typeof one === 'string') : []
  return [read.ok ? rules(read.action).done(read.action) : 'done', ...parts].join('; ')
}

/** Whether its tasks stay on this machine; then what became of them does too, and no ledger that others get says it. */
export function isPrivateTool(tool: string): boolean {
  const domain = rulesOf(tool)?.domain
  return domain !== undefined && isLocalOnly(domain)
}

/** Whether it goes out on a social network. */
export function isPost(action: Action): action is PublishPostAction | CreatePostAction {
  return channelOf(action.tool) === 'social'
}

/** By which channel a tool goes out; undefined for an unknown tool. */
export function channelOf(tool: string): ChannelName | undefined {
  return rulesOf(tool)?.channel
}

/** The schema's rules (`readAction`) in words for the person. */
export function sayAction(rule: string, problem: string, task: TaskFile): string {
  const field = rule.replace(/^action-/, '')
  const lacking = task.front.action?.tool === 'payment.pay' && sayLacking(task.front.action, task.front.drafted?.remark)
  if (lacking) return lacking
  const raw = task.front.action?.[field]
  const hidden = INVISIBLE.exec([raw].flat().join(''))?.[0]
  if (hidden !== undefined && field !== 'body')
    return `The field "${field}" contains an invisible or control character (${codePointOf(hidden)}). Type it anew.`
  if (field === 'missing') return 'This file says nothing that could be done: its action is missing.'
  if (field === 'body' && problem.includes('empty')) return 'The draft is empty: there is nothing to send.'
  if (field === 'to' && (raw === undefined || (Array.isArray(raw) && raw.length === 0)))
    return 'The mail has no recipient.'
  const typed = typingFault(task.frontText)
  return `The action cannot be carried out as it stands: ${problem}${typed === undefined ? '' : `; ${typed}`}.`
}
