import type { KeyObject } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'
import {
  audienceOf,
  CLOCK_SKEW_MS,
  RECEIPT_RULES,
  type Receipt,
  receiptSchema,
  verifyReceipt,
} from './countersignature.ts'
import type { LedgerEntry, LedgerFault, LedgerReport } from './ledger.ts'

/** A countersigning key that is or was an agent's. */
export interface CountersignKey {
  readonly agent: string
  readonly publicKey: KeyObject
  /** When another took its place (ISO time); absent: it is the present one, or nobody knows. */
  readonly retiredAt?: string
}

/** The outcome in a file below Done/. */
export interface DoneFile {
  readonly path: string
  readonly task: string
  readonly digest: unknown
  readonly receipt: unknown
}

interface Claimed {
  readonly task: string | undefined
  readonly digest: unknown
  readonly tool: unknown
  readonly receipt: unknown
}
type Keys = ReadonlyMap<string, CountersignKey>

/**
 * Holds every receipt that the ledgers' `execution.done` entries and the files in Done/ tell of against the
 * countersigning keys: who signed it, for which task and action, whether its one use was one, whether the ledger said
 * beforehand that it would be used, and that its key had not been replaced by then. Gives what is wrong.
 */
export function auditReceipts(
  reports: readonly LedgerReport[],
  keys: readonly CountersignKey[],
  files: readonly DoneFile[] = [],
): LedgerFault[] {
  const byAudience: Keys = new Map(keys.map((key) => [audienceOf(key.publicKey), key]))
  const used = new Map<string, LedgerEntry>()
  const faults = reports.flatMap((report) => {
    const said = announced(report)
    return report.entries.flatMap((entry, index) => {
      if (entry.type !== 'execution.done') return []
      const receipt = receiptOf(entry.data?.receipt)
      const problem =
        problemOf({ task: entry.task, ...claimedIn(entry) }, byAudience, report.agent) ??
        (receipt && (repeated(entry, receipt, used) ?? untimely(entry, receipt, said)))
      const place = report.places[index] ?? { file: '', line: 0 }
      return problem === undefined ? [] : [faultOf(report.agent, place, entry.seq, entry.task, problem)]
    })
  })
  const isWhole = reports.every((report) => report.after === 0)
  const inFiles = files.flatMap(({ path, task, digest, receipt }) => {
    const nonce = receiptOf(receipt)?.nonce ?? ''
    const problem =
      problemOf({ task, digest, receipt, tool: undefined }, byAudience) ??
      (isWhole && used.get(nonce)?.task !== task ? 'no ledger tells of this execution' : undefined)
    return problem === undefined ? [] : [faultOf('', { file: path, line: 0 }, undefined, task, problem)]
  })
  return [...faults, ...inFiles]
}

function claimedIn({ data = {} }: LedgerEntry): Omit<Claimed, 'task'> {
  return { digest: data.digest, tool: data.tool, receipt: data.receipt }
}

function receiptOf(candidate: unknown): Receipt | undefined {
  return receiptSchema.safeParse(candidate).data
}

/** What is wrong with a receipt by itself; `agent`: whose ledger it stands in. */
function problemOf({ task, digest, tool, receipt }: Claimed, keys: Keys, agent?: string): string | undefined {
  if (receipt === undefined) return 'it tells of an execution without a countersignature'
  const parsed = receiptOf(receipt)
  if (!parsed) return sayRule('receipt-malformed')
  const key = keys.get(parsed.audience)
  if (!key) return `the countersignature is by a key that nobody here knows (${parsed.audience})`
  if (agent !== undefined && key.agent !== agent) return `the countersignature is by the key of agent ${key.agent}`
  const verdict = verifyReceipt(parsed, {
    publicKey: key.publicKey,
    task: String(task),
    tool: tool === undefined ? parsed.tool : String(tool),
    digest: String(digest),
    // It was good when it was used; whether it still is, does not matter.
    now: Date.parse(parsed.issued_at),
  })
  if (!verdict.ok) return sayRule(verdict.rule)
  if (key.retiredAt !== undefined && Date.parse(parsed.issued_at) > Date.parse(key.retiredAt) + CLOCK_SKEW_MS)
    return `the countersignature was made after its key was replaced at ${key.retiredAt}`
  return undefined
}

function sayRule(rule: keyof typeof RECEIPT_RULES): string {
  return `the countersignature does not hold: ${RECEIPT_RULES[rule]}`
}

/** A crash lets the executor write the same entry again, letter for letter; a second use tells of something else. */
function repeated(entry: LedgerEntry, { nonce }: Receipt, used: Map<string, LedgerEntry>): string | undefined {
  const first = used.get(nonce)
  if (!first) used.set(nonce, entry)
  const isSame =
    !first || (first.agent === entry.agent && canonicalJson(first.data ?? {}) === canonicalJson(entry.data ?? {}))
  return isSame ? undefined : `the countersignature was used twice: entry ${first.seq} of ${first.agent} has it, too`
}

interface Announced {
  /** By nonce. */
  readonly intended: ReadonlyMap<string, LedgerEntry>
  /** By the audience of the key that was replaced. */
  readonly rotated: ReadonlyMap<string, LedgerEntry>
  readonly isWhole: boolean
}

function announced({ entries, after }: LedgerReport): Announced {
  const firstBy = (type: LedgerEntry['type'], field: string) => {
    const found = new Map<string, LedgerEntry>()
    for (const entry of entries) {
      const value = String(entry.data?.[field])
      if (entry.type === type && !found.has(value)) found.set(value, entry)
    }
    return found
  }
  return {
    intended: firstBy('execution.intended', 'nonce'),
    rotated: firstBy('key.rotated', 'old'),
    isWhole: after === 0,
  }
}

/** By the places in the chain, which no clock and no stolen key can change. */
function untimely(done: LedgerEntry, { nonce, audience }: Receipt, said: Announced): string | undefined {
  const intended = said.intended.get(nonce)
  if (!intended || intended.seq > done.seq)
    return said.isWhole ? 'no entry before it says that this countersignature would be used' : undefined
  if (intended.task !== done.task || intended.data?.digest !== done.data?.digest)
    return `the countersignature was meant for something else (entry ${intended.seq})`
  const rotated = said.rotated.get(audience)
  return rotated && rotated.seq < intended.seq
    ? `the countersignature was made after its key was replaced (entry ${rotated.seq})`
    : undefined
}

function faultOf(
  agent: string,
  place: Pick<LedgerFault, 'file' | 'line'>,
  seq: number | undefined,
  task: string | undefined,
  problem: string,
): LedgerFault {
  return { agent, ...place, ...(seq !== undefined && { seq }), ...(task !== undefined && { task }), problem }
}
