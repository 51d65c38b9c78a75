import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { audienceOf, type Receipt } from '#core/countersignature.ts'
import { dashboardGatherer } from '#core/gather-dashboard.ts'
import { planGatherer } from '#core/gather-plans.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { CompareTexts } from '#core/ports/compare.ts'
import type { Doorbell } from '#core/ports/doorbell.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { ReceivedPort } from '#core/ports/received.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import type { ServiceContext } from '#runtime/service.ts'
import { bounceBox } from './bounces.ts'
import type { ExecutorConfig } from './config.ts'
import type { WiredDeps } from './deps.ts'
import { knowledgeOf } from './knowledge.ts'
import { ALWAYS_NEWEST, type OwnAge } from './own-age.ts'

const RECEIPT_MS = 3_600_000
const LOOK_UP_GRACE_MS = 10_000
/** Longer than all limits of a provider's client together: a call of a tool that ends sooner has an answer. */
export const TOOL_LIMIT_MS = 240_000

/** What main opens, and tests replace. */
export interface ExecutorParts {
  readonly vault: VaultPort
  readonly ledger: LedgerPort
  readonly journal: JournalPort
  readonly received: Pick<ReceivedPort, 'count'>
  readonly doorbell: Doorbell
  readonly clock: Clock
  readonly signingKey: KeyObject
  readonly compare: CompareTexts
  /** Absent: nobody sets this state back. */
  readonly ownAge?: OwnAge
}

/** What the tools that act work with inside the executor: its journal, its epoch, its key. */
export function actingWith({ journal, clock, signingKey }: Pick<ExecutorParts, 'journal' | 'clock' | 'signingKey'>) {
  return {
    publicKey: createPublicKey(signingKey),
    clock,
    consume: (receipt: Receipt, now: number) => journal.consume(receipt, now),
    isNewest: () => journal.isNewest(),
  }
}

/** The executor's dependencies. */
export function wireExecutor(
  config: Pick<ExecutorConfig, 'zone' | 'agent' | 'ownerAddress' | 'maxRecipients' | 'undoMs'> &
    Partial<Pick<ExecutorConfig, 'ownerName' | 'socialAccounts' | 'instagramImages' | 'whatsappUrl' | 'whatsappChats'>>,
  parts: ExecutorParts,
  channels: readonly Channel[],
  service: Pick<ServiceContext, 'log' | 'metrics'>,
  paymentWays: readonly string[] = [],
): WiredDeps {
  const { log, metrics } = service
  const { vault, ledger, journal, received, clock, signingKey, doorbell, compare } = parts
  return {
    ...{ vault, ledger, journal, received, clock, log, metrics, signingKey, channels, compare },
    gather: dashboardGatherer({ vault, journal }),
    gatherPlans: planGatherer(vault),
    bounces: bounceBox(),
    zone: config.zone,
    agent: config.agent,
    limits: {
      account: config.ownerAddress,
      maxRecipients: config.maxRecipients,
      social: { accounts: config.socialAccounts ?? [], imagesAt: config.instagramImages },
      ...(config.whatsappUrl !== undefined && { whatsapp: { chats: config.whatsappChats ?? 'all-people' } }),
      payment: { ways: paymentWays },
    },
    knowledge: knowledgeOf(parts, { address: config.ownerAddress, name: config.ownerName ?? '' }),
    undoMs: config.undoMs,
    receiptMs: RECEIPT_MS,
    lookUpGraceMs: LOOK_UP_GRACE_MS,
    audience: audienceOf(createPublicKey(signingKey)),
    nonce: () => randomBytes(16).toString('hex'),
    ownAge: parts.ownAge ?? ALWAYS_NEWEST,
    heldUntil: new Map(),
    ring: (job, delayMs) => doorbell.ring('execute', 'execute-approved', job, { delayMs }),
  }
}
