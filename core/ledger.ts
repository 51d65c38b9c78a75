import { type KeyObject, sign, verify } from 'node:crypto'
import { canonicalJson, domainDigest, type JsonValue } from './canonical-json.ts'

/** What a ledger entry may report. Closed: a new type is a deliberate change of a public surface (pinned). */
export const LEDGER_TYPES = [
  'task.created',
  'task.joined',
  'mail.skipped',
  'mail.bounced',
  'task.claimed',
  'task.given-back',
  'model.asked',
  'task.drafted',
  'task.returned',
  'draft.presented',
  'task.approved',
  'task.rejected',
  'task.redraft',
  'execution.intended',
  'execution.done',
  'execution.refused',
  'execution.unknown',
  'execution.resolved',
  'conflict.kept',
  'file.refused',
  'path.held',
  'gate.refused',
  'hub.rolled-back',
  'hub.reattached',
  'conflict.settled',
  'zone.forbidden',
  'ledger.checkpoint',
  'ledger.witnessed',
  'key.rotated',
  'machine.restored',
] as const
export type LedgerType = (typeof LEDGER_TYPES)[number]
/** Ids, digests, addresses' domains, outcomes; never a secret or a message's text. */
export type LedgerData = { readonly [key: string]: JsonValue }

/** One line of `Logs/<agent>/<day>.jsonl`. `hash` covers all other fields, `prev` is the hash of entry `seq - 1`. */
export interface LedgerEntry {
  readonly seq: number
  readonly at: string
  readonly agent: string
  readonly type: LedgerType
  readonly task?: string
  readonly data?: LedgerData
  readonly prev: string
  readonly hash: string
}

export interface LedgerHead {
  readonly seq: number
  readonly hash: string
}

/** What stands in `prev` of the first entry. */
export const GENESIS = `sha256:${'0'.repeat(64)}`
const ENTRY_DOMAIN = 'countersign/ledger/v1'
const CHECKPOINT_DOMAIN = 'countersign/checkpoint/v1'

/** The entry that follows `head` (null: the first of a ledger). */
export function chainEntry(head: LedgerHead | null, draft: Omit<LedgerEntry, 'seq' | 'prev' | 'hash'>): LedgerEntry {
  const unsealed = { ...draft, seq: (head?.seq ?? 0) + 1, prev: head?.hash ?? GENESIS }
  return { ...unsealed, hash: domainDigest(ENTRY_DOMAIN, unsealed) }
}

/** One line, without its newline. Field order is fixed for readers; the hash does not depend on it. */
export function renderLedgerLine(entry: LedgerEntry): string {
  const { seq, at, agent, type, task, data, prev, hash } = entry
  return JSON.stringify({ seq, at, agent, type, task, data, prev, hash })
}

/** The entry on a line, or undefined when it is none of ours. Says nothing about the chain. */
export function parseLedgerLine(line: string): LedgerEntry | undefined {
  try {
    const value = JSON.parse(line) as LedgerEntry
    const isEntry =
      Number.isSafeInteger(value.seq) &&
      [value.at, value.agent, value.prev, value.hash].every((field) => typeof field === 'string') &&
      (LEDGER_TYPES as readonly string[]).includes(value.type)
    return isEntry ? value : undefined
  } catch {
    return undefined
  }
}

/** A statement by an agent that its ledger had this head, signed with its ledger key. */
export interface Checkpoint extends LedgerHead {
  readonly agent: string
  readonly sig: string
}

export function signCheckpoint(agent: string, head: LedgerHead, key: KeyObject): Checkpoint {
  const statement = { agent, seq: head.seq, hash: head.hash }
  return { ...statement, sig: sign(null, checkpointBytes(statement), key).toString('base64') }
}

export function verifyCheckpoint(checkpoint: Checkpoint, key: KeyObject): boolean {
  const { agent, seq, hash, sig } = checkpoint
  return verify(null, checkpointBytes({ agent, seq, hash }), key, Buffer.from(sig, 'base64'))
}

function checkpointBytes(statement: { agent: string; seq: number; hash: string }): Buffer {
  return Buffer.from(`${CHECKPOINT_DOMAIN}\n${canonicalJson(statement)}`)
}

/** The checkpoint that an entry of type `ledger.checkpoint` (own head) or `ledger.witnessed` (another's) carries. */
export function checkpointIn(entry: LedgerEntry): Checkpoint | undefined {
  if (entry.type !== 'ledger.checkpoint' && entry.type !== 'ledger.witnessed') return undefined
  const { agent, seq, hash, sig } = entry.data ?? {}
  if (typeof agent !== 'string' || typeof seq !== 'number' || typeof hash !== 'string' || typeof sig !== 'string')
    return undefined
  return { agent, seq, hash, sig }
}

/** What one agent's files hold: a ledger file a day, in any order. */
export interface LedgerFile {
  readonly name: string
  readonly text: string
}

export interface LedgerFault {
  readonly agent: string
  readonly file: string
  readonly line: number
  readonly seq?: number
  readonly task?: string
  readonly problem: string
}

export interface LedgerReport {
  readonly agent: string
  readonly entries: readonly LedgerEntry[]
  /** Where each of the entries stands. */
  readonly places: readonly Pick<LedgerFault, 'file' | 'line'>[]
  readonly head: LedgerHead | null
  /** The number of the last entry before those that were looked at; 0: all were. */
  readonly after: number
  readonly faults: readonly LedgerFault[]
}

/**
 * Walks one agent's chain through all its files. Finds edits, deletions, reordering and foreign lines; a cut tail needs
 * `crossCheck`. With `from`, the files hold only what follows that known entry.
 */
export function verifyChain(agent: string, files: readonly LedgerFile[], from: LedgerHead | null = null): LedgerReport {
  const entries: LedgerEntry[] = []
  const places: Pick<LedgerFault, 'file' | 'line'>[] = []
  const faults: LedgerFault[] = []
  let head: LedgerHead | null = from
  for (const file of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const lines = file.text.split('\n')
    if (lines.pop() !== '')
      faults.push({ agent, file: file.name, line: lines.length + 1, problem: 'the last line is torn (no newline)' })
    for (const [index, line] of lines.entries()) {
      const entry = parseLedgerLine(line)
      const problem = entry ? chainProblem(entry, head, agent, file.name) : 'not a ledger entry'
      if (problem) faults.push({ agent, file: file.name, line: index + 1, ...(entry && { seq: entry.seq }), problem })
      if (!entry) continue
      entries.push(entry)
      places.push({ file: file.name, line: index + 1 })
      head = { seq: entry.seq, hash: entry.hash }
    }
  }
  return { agent, entries, places, head, after: from?.seq ?? 0, faults }
}

function chainProblem(entry: LedgerEntry, head: LedgerHead | null, agent: string, file: string): string | undefined {
  const { hash, ...unsealed } = entry
  if (domainDigest(ENTRY_DOMAIN, unsealed) !== hash) return 'the entry was edited (its hash does not match)'
  if (entry.agent !== agent) return `the entry belongs to agent ${entry.agent}`
  if (entry.seq !== (head?.seq ?? 0) + 1)
    return `expected entry ${(head?.seq ?? 0) + 1}, found ${entry.seq}: entries are missing or out of order`
  if (entry.prev !== (head?.hash ?? GENESIS)) return 'the entry does not follow the one before it'
  // A clock that was set back leaves entries older than their file; an entry younger than its file was moved there.
  return entry.at.slice(0, 10) > file.slice(0, 10)
    ? `the entry of ${entry.at} stands in the file of an earlier day`
    : undefined
}

/**
 * Holds ledgers against what is known of them elsewhere: signed checkpoints in them, checkpoints of them that another
 * agent's ledger witnessed, and `anchors` (the heads this machine remembers outside the vault). Finds what a chain
 * alone cannot: a cut tail and a rewrite with recomputed hashes.
 */
export function crossCheck(
  reports: readonly LedgerReport[],
  keys: ReadonlyMap<string, readonly KeyObject[]>,
  anchors: ReadonlyMap<string, LedgerHead> = new Map(),
): LedgerFault[] {
  const faults: LedgerFault[] = []
  const byAgent = new Map(
    reports.map((report) => [report.agent, new Map(report.entries.map((entry) => [entry.seq, entry.hash]))]),
  )
  const after = new Map(reports.map((report) => [report.agent, report.after]))
  const expectHead = (agent: string, head: LedgerHead, where: string) => {
    if (head.seq <= (after.get(agent) ?? 0)) return
    const found = byAgent.get(agent)?.get(head.seq)
    if (found === head.hash) return
    const problem =
      found === undefined
        ? `entry ${head.seq} is missing: the ledger was cut`
        : `entry ${head.seq} differs: the ledger was rewritten`
    faults.push({ agent, file: '', line: 0, seq: head.seq, problem: `${problem} (known from ${where})` })
  }
  for (const report of reports) {
    for (const entry of report.entries) {
      if (entry.type !== 'ledger.checkpoint' && entry.type !== 'ledger.witnessed') continue
      const where = `${report.agent}'s entry ${entry.seq}`
      const checkpoint = checkpointIn(entry)
      if (!checkpoint || !keys.get(checkpoint.agent)?.some((key) => verifyCheckpoint(checkpoint, key))) {
        faults.push({
          agent: report.agent,
          file: '',
          line: 0,
          seq: entry.seq,
          problem: `the checkpoint in ${where} has no valid signature`,
        })
      } else expectHead(checkpoint.agent, checkpoint, where)
    }
  }
  for (const [agent, head] of anchors) expectHead(agent, head, 'this machine')
  return faults
}
