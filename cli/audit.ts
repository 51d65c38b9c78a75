import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { publicKeyFrom } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import {
  crossCheck,
  type LedgerEntry,
  type LedgerFault,
  type LedgerFile,
  type LedgerHead,
  type LedgerReport,
  parseLedgerLine,
  verifyChain,
} from '#core/ledger.ts'
import { auditReceipts, type CountersignKey } from '#core/receipt-audit.ts'
import { parseTrust, type Trust } from '#core/trust.ts'
import { doneFiles } from './done-files.ts'
import type { ZoneHome } from './zone-home.ts'

/** Where the ledgers stand, and what they are verified with. */
export type LedgerPlace = Pick<ZoneHome, 'vault' | 'state' | 'trust' | 'agent'>

export type AuditReport = {
  readonly ok: boolean
  readonly agents: readonly { readonly agent: string; readonly entries: number; readonly checkpoints: number }[]
  /** How many countersignatures were held against the keys. */
  readonly receipts: number
  readonly faults: readonly LedgerFault[]
}

/** As `readLedgers`, summed up. */
export async function verifyLedgers(home: LedgerPlace, since?: string): Promise<AuditReport> {
  return (await readLedgers(home, since)).report
}

/**
 * Reads and verifies every ledger of this zone's vault: each chain by itself, then all against the signed checkpoints in
 * them, what the other agent witnessed, the head this machine remembers of its own, and the countersigning keys. With `since` (a day, UTC) only
 * the files from that day on, whose first entry is then believed to follow what was not looked at. Throws
 * ERR_CONFIG_INVALID when the trust file cannot be read.
 */
export async function readLedgers(
  home: LedgerPlace,
  since?: string,
): Promise<{ readonly report: AuditReport; readonly entries: readonly (readonly LedgerEntry[])[] }> {
  const { ledgerKeys: agents, countersignKeys } = await trustedKeys(home)
  // The executor writes the ledger first.
  const done = await doneFiles(home.vault, since)
  // Before the files are read: they may grow meanwhile, and a later head would look like a cut tail.
  const remembered = rememberedHead(home)
  const names = new Set([...agents.keys(), ...(await subfolders(join(home.vault, 'Logs')))])
  const reports: LedgerReport[] = []
  for (const name of [...names].sort()) reports.push(reportOf(name, await ledgerFiles(home, name, since), since))
  const strangers = reports.filter(({ agent }) => !agents.has(agent))
  const faults = [
    ...reports.flatMap((report) => report.faults),
    ...strangers.map(({ agent }) => ({ agent, file: '', line: 0, problem: 'no known agent has this name' })),
    ...crossCheck(reports, agents, remembered),
    ...auditReceipts(reports, countersignKeys, done),
  ]
  const report = {
    ok: faults.length === 0,
    agents: reports.map(({ agent, entries }) => ({
      agent,
      entries: entries.length,
      checkpoints: entries.filter((entry) => entry.type === 'ledger.checkpoint').length,
    })),
    receipts: reports.flatMap(({ entries }) => entries.filter((entry) => entry.type === 'execution.done')).length,
    faults,
  }
  return { report, entries: reports.map(({ entries }) => entries) }
}

function reportOf(agent: string, files: readonly LedgerFile[], since: string | undefined): LedgerReport {
  const first = since === undefined ? undefined : firstEntry(files)
  return verifyChain(agent, files, first && { seq: first.seq - 1, hash: first.prev })
}

function firstEntry(files: readonly LedgerFile[]): LedgerEntry | undefined {
  const [first] = files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return first && parseLedgerLine(first.text.slice(0, first.text.indexOf('\n')))
}

/** Agents by name, former ones too, with the keys that have signed their checkpoints; and every countersigning key. */
async function trustedKeys(home: LedgerPlace) {
  const file = join(home.trust, 'agents.json')
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CountersignError('ERR_CONFIG_INVALID', `reading ${file}: not there`, { cause })
  })
  const trust = parseTrust(text)
  const byName = Map.groupBy([...trust.agents, ...trust.revoked], (one) => one.name)
  const ledgerKeys = new Map([...byName].map(([name, all]) => [name, all.map((one) => publicKeyFrom(one.ledger))]))
  return { ledgerKeys, countersignKeys: countersignKeys(trust) }
}

/** Present ones last: a key that counts again counts as such. */
function countersignKeys({ agents, revoked, retired = [] }: Trust): CountersignKey[] {
  const known = [
    ...retired.map(({ name, countersign, at }) => ({ name, countersign, retiredAt: at })),
    ...[...revoked, ...agents].map(({ name, countersign }) => ({ name, countersign })),
  ]
  return known.flatMap(({ name, countersign, ...more }) =>
    countersign == null ? [] : [{ agent: name, publicKey: publicKeyFrom(countersign), ...more }],
  )
}

/** The newest file belongs to them, however old it is: it ends with the head. */
async function ledgerFiles(home: LedgerPlace, agent: string, since = ''): Promise<LedgerFile[]> {
  const folder = join(home.vault, 'Logs', agent)
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.jsonl')).sort()
  const wanted = names.filter((name, index) => name.slice(0, 10) >= since || index === names.length - 1)
  return Promise.all(
    wanted.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8')
      // The other agent's file is a snapshot up to its last newline; our own may be growing at this moment.
      return { name, text: agent === home.agent ? text.slice(0, text.lastIndexOf('\n') + 1) : text }
    }),
  )
}

/** What this machine remembers of its own ledger outside the vault: the anchor that shows a cut tail. */
function rememberedHead(home: LedgerPlace): Map<string, LedgerHead> {
  if (!existsSync(join(home.state, 'ledger.sqlite'))) return new Map()
  using ledger = openLedger({ vaultRoot: home.vault, stateDir: home.state, agent: home.agent, clock: Date })
  const head = ledger.head()
  return head ? new Map([[home.agent, head]]) : new Map()
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}
