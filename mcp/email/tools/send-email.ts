import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { actionDigest, type EmailAction, emailActionSchema } from '#core/action.ts'
import { type Receipt, receiptSchema, verifyReceipt } from '#core/countersignature.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { ConsumeVerdict } from '#core/ports/journal.ts'
import type { OutgoingMail, SendOutcome } from '#core/ports/mail.ts'
import type { SendReport } from '#core/sending.ts'
import type { EmailTool } from '../server.ts'
import { toolFailure, toolResult } from '../tool-result.ts'

export interface SendEmailDeps {
  /** The public half of this machine's countersigning key. */
  readonly publicKey: KeyObject
  readonly clock: Clock
  /** Spends the receipt's one use, durably. Nothing is sent unless it says `consumed`. */
  consume(receipt: Receipt, now: number): ConsumeVerdict
  /** Whether this process is still the newest executor; asked at the last moment before the mail goes. */
  isNewest(): boolean
  compose(action: EmailAction, message: { messageId: string; sentAt: number }): Promise<OutgoingMail>
  /** Never throws for what network or server do. */
  send(mail: OutgoingMail): Promise<SendOutcome>
}

/** An object at the top, as MCP wants it: which fields stand there depends on `outcome` (core/sending.ts). */
const output = z.strictObject({
  outcome: z.enum(['accepted', 'refused', 'unknown']),
  code: z.string().optional(),
  reason: z.string().optional(),
  message_id: z.string().optional(),
  response: z.string().optional(),
  refused_recipients: z.array(z.strictObject({ address: z.string(), response: z.string() })).optional(),
})

/** `send_email`: sends one approved mail. Demands a countersignature over exactly its own arguments, and uses it up. */
export function sendEmail(deps: SendEmailDeps): EmailTool {
  return (server) => {
    server.registerTool(
      'send_email',
      {
        title: 'Send an approved e-mail',
        description:
          'Sends a mail that the person approved in the vault of this machine. Works only with the countersignature (receipt) that the executor made for exactly this action, once.',
        inputSchema: z.strictObject({ action: emailActionSchema, receipt: receiptSchema }),
        outputSchema: output,
        annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
      },
      async ({ action, receipt }) => {
        try {
          const report = await sendCountersigned(action, receipt, deps)
          return toolResult(report, report.outcome === 'refused')
        } catch (error) {
          return toolFailure(error)
        }
      },
    )
  }
}

async function sendCountersigned(action: EmailAction, receipt: Receipt, deps: SendEmailDeps): Promise<SendReport> {
  const now = deps.clock.now()
  const verdict = verifyReceipt(receipt, {
    publicKey: deps.publicKey,
    task: receipt.task,
    tool: 'email.send_email',
    digest: actionDigest(action),
    now,
  })
  if (!verdict.ok) return refused('ERR_COUNTERSIGNATURE_INVALID', verdict.rule)
  const use = deps.consume(verdict.receipt, now)
  if (use.kind === 'refused') return refused('ERR_COUNTERSIGNATURE_INVALID', `receipt-${use.rule}`)
  const mail = await deps.compose(action, { messageId: use.messageId, sentAt: use.intendedAt }).catch(() => undefined)
  if (!mail) return refused('ERR_MAIL_REFUSED', 'the message could not be composed')
  if (!deps.isNewest()) return refused('ERR_FENCED', 'a newer executor has taken over')
  return reportOf(await deps.send(mail), use.messageId)
}

function reportOf(outcome: SendOutcome, messageId: string): SendReport {
  switch (outcome.kind) {
    case 'accepted':
      return {
        outcome: 'accepted',
        message_id: messageId,
        response: outcome.response,
        refused_recipients: outcome.refusedRecipients.map(({ address, response }) => ({ address, response })),
      }
    case 'refused':
      return refused(outcome.permanent ? 'ERR_MAIL_REFUSED' : 'ERR_MAIL_UNREACHABLE', outcome.response)
    case 'unknown':
      return { outcome: 'unknown', message_id: messageId, code: 'ERR_OUTCOME_UNKNOWN', reason: outcome.reason }
  }
}

function refused(code: Extract<SendReport, { outcome: 'refused' }>['code'], reason: string): SendReport {
  return { outcome: 'refused', code, reason }
}
