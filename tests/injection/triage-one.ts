import { parseMail } from '#adapters/mime/parse-mail.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { openThreadMemory } from '#adapters/seen-sqlite/thread-memory.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { RawMail } from '#core/ports/mail.ts'
import type { AskModel } from '#core/ports/model.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { mailClassifier } from '#services/triage/classify.ts'
import { type TriageOutcome, triageMessage } from '#services/triage/triage-message.ts'

export interface TriageParts {
  readonly vault: VaultPort
  readonly ledger: LedgerPort
  readonly clock: Clock
  readonly account: string
  /** Folder of the zone's state. */
  readonly state: string
  readonly ask: AskModel
}

/** Triage over one mail after the other, as the service wires it. */
export function openTriage({
  state,
  ask,
  ...parts
}: TriageParts): Disposable & { take(raw: RawMail): Promise<TriageOutcome> } {
  const seen = openSeenMail(`${state}/triage.sqlite`)
  const threads = openThreadMemory(`${state}/threads.sqlite`, parts.clock.now())
  const ownAddresses = new Set([parts.account])
  const quiet = { log: { warn() {} }, metrics: { count() {} } }
  const classify = mailClassifier({ vault: parts.vault, ownAddresses, ask, ...quiet })
  return {
    take: (raw) =>
      triageMessage(raw, {
        ...parts,
        seen,
        threads,
        agent: 'cloud',
        localAgent: async () => 'local',
        parse: parseMail,
        ownAddresses,
        classify,
      }),
    [Symbol.dispose]: () => {
      seen[Symbol.dispose]()
      threads[Symbol.dispose]()
    },
  }
}
