import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import type { EmailAction } from '#core/action.ts'
import { audienceOf, type Receipt } from '#core/countersignature.ts'
import { dashboardGatherer } from '#core/gather-dashboard.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Doorbell } from '#core/ports/doorbell.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { MailSender, OutgoingMail, SentMail } from '#core/ports/mail.ts'
import type { ReceivedPort } from '#core/ports/received.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import type { ServiceContext } from '#runtime/service.ts'
import type { ExecutorConfig } from './config.ts'
import type { WiredDeps } from './deps.ts'
import { patientSent } from './patient-sent.ts'
import { watchSender } from './sender-watch.ts'

const RECEIPT_MS = 3_600_000
const LOOK_UP_GRACE_MS = 10_000
/** Longer than all of the mail server's own limits together: a call that ends sooner has an answer. */
const TOOL_LIMIT_MS = 240_000

/** What main opens, and tests replace. */
export interface ExecutorParts {
  readonly vault: VaultPort
  readonly ledger: LedgerPort
  readonly journal: JournalPort
  readonly received: Pick<ReceivedPort, 'count'>
  readonly doorbell: Doorbell
  readonly smtp: MailSender
  readonly sentFolder: SentMail
  readonly clock: Clock
  readonly signingKey: KeyObject
  compose(
    action: EmailAction,
    message: { senderName: string; messageId: string; sentAt: number },
  ): Promise<OutgoingMail>
}

/** What `send_email` works with inside the executor: its journal, its epoch, its mail server. */
export function sendingWith(parts: ExecutorParts, ownerName: string) {
  const { journal, clock, signingKey, smtp } = parts
  return {
    publicKey: createPublicKey(signingKey),
    clock,
    consume: (receipt: Receipt, now: number) => journal.consume(receipt, now),
    isNewest: () => journal.isNewest(),
    compose: (action: EmailAction, message: { messageId: string; sentAt: number }) =>
      parts.compose(action, { senderName: ownerName, ...message }),
    send: (mail: OutgoingMail) => smtp.send(mail),
  }
}

/** The executor's dependencies; `call` reaches the MCP server that has `send_email`. */
export function wireExecutor(
  config: Pick<ExecutorConfig, 'zone' | 'agent' | 'ownerAddress' | 'ownerName' | 'maxRecipients' | 'undoMs'>,
  parts: ExecutorParts,
  call: (tool: string, args: Record<string, unknown>, timeoutMs: number) => Promise<unknown>,
  service: Pick<ServiceContext, 'log' | 'metrics'>,
): WiredDeps {
  const { log, metrics } = service
  const { vault, ledger, journal, received, clock, signingKey, doorbell } = parts
  const sender = watchSender(
    () => parts.smtp.verify(),
    clock,
    (state, error) => (state === true ? log.info({}, 'the mail server is back') : log.warn({ err: error }, state)),
  )
  return {
    ...{ vault, ledger, journal, received, clock, log, metrics, signingKey, sender },
    gather: dashboardGatherer({ vault, journal }),
    zone: config.zone,
    agent: config.agent,
    account: config.ownerAddress,
    maxRecipients: config.maxRecipients,
    undoMs: config.undoMs,
    receiptMs: RECEIPT_MS,
    lookUpGraceMs: LOOK_UP_GRACE_MS,
    audience: audienceOf(createPublicKey(signingKey)),
    nonce: () => randomBytes(16).toString('hex'),
    ring: (job, delayMs) => doorbell.ring('execute', 'execute-approved', job, { delayMs }),
    sent: patientSent(parts.sentFolder, clock),
    sendEmail: (action, receipt) => call('send_email', { action, receipt }, TOOL_LIMIT_MS),
    compose: (action, message) => parts.compose(action, { senderName: config.ownerName, ...message }),
  }
}
