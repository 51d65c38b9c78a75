import {
  type Checkpoint,
  checkpointIn,
  type LedgerEntry,
  type LedgerHead,
  parseLedgerLine,
  signCheckpoint,
  verifyChain,
  verifyCheckpoint,
} from '#core/ledger.ts'
import { MAX_LOG_BYTES } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import { fileNameOf, type VaultPath } from '#core/vault-path.ts'
import type { SyncDeps } from '../sync-deps.ts'
import type { HubView } from './hub-view.ts'

/** What is remembered of a ledger: how far it was seen. `file` is the day file that the entry stands in. */
interface Seen extends LedgerHead {
  readonly file: string
}

/**
 * Signs where the own ledger stands, once new entries other than statements about ledgers are in it. Returns whether
 * it wrote an entry: then the scan has to be made again.
 */
export async function checkpointOwnLedger(deps: SyncDeps): Promise<boolean> {
  const seen = seenOf(deps, 'checkpoint')
  const files = logFiles(ownFiles(deps), seen?.file ?? '')
  const newest = files.at(-1)
  // The same bytes as at the last look hold nothing new.
  if (!newest || deps.store.fact('checkpoint_oid') === newest[1]) return false
  const entries = (await readEntries(files, deps)).filter((entry) => entry.seq > (seen?.seq ?? 0))
  const last = entries.at(-1)
  if (last) remember(deps, 'checkpoint', last, fileNameOf(newest[0]))
  deps.store.update({ facts: { checkpoint_oid: newest[1] } })
  if (!last || entries.every(isAboutLedgers)) return false
  const checkpoint = signCheckpoint(deps.agent, { seq: last.seq, hash: last.hash }, deps.ledgerKey)
  await deps.ledger.append('ledger.checkpoint', { data: { ...checkpoint } })
  return true
}

/**
 * Takes the newest checkpoint of every other agent whose ledger went on at the hub into the own ledger, so that neither
 * can be rewritten alone. Statements about ledgers alone are not answered, or two zones would go on for
 * ever. Returns what is wrong with a ledger, in words; such a ledger is not witnessed.
 */
export async function witnessOthers(hub: HubView, deps: SyncDeps): Promise<string[]> {
  const problems: string[] = []
  for (const [agent, key] of deps.ledgerKeys) {
    const seen = seenOf(deps, `witness:${agent}`)
    const files = logFiles(hub.under(`Logs/${agent}/`), seen?.file ?? '')
    const newest = files.at(-1)
    if (agent === deps.agent || !newest || deps.store.fact(`witness_oid:${agent}`) === newest[1]) continue
    const texts = await Promise.all(
      files.map(async ([path, oid]) => ({ name: fileNameOf(path), text: after(seen, await readText(oid, deps)) })),
    )
    const { entries, faults } = verifyChain(agent, texts, seen ?? null)
    const [fault] = faults
    if (fault) {
      problems.push(`the ledger of ${agent}: ${fault.file} line ${fault.line}: ${fault.problem}`)
      continue
    }
    const last = entries.at(-1)
    const checkpoint = entries.findLast((entry) => entry.type === 'ledger.checkpoint')
    const statement = checkpoint && checkpointIn(checkpoint)
    if (statement && !entries.every(isAboutLedgers)) {
      const problem = faultOf(statement, agent, entries, seen)
      if (problem || !verifyCheckpoint(statement, key)) {
        problems.push(`the ledger of ${agent}: entry ${checkpoint.seq}: ${problem ?? 'its signature is not valid'}`)
        continue
      }
      await deps.ledger.append('ledger.witnessed', { data: { ...statement } })
    }
    deps.store.update({ facts: { [`witness_oid:${agent}`]: newest[1] } })
    // Entries without their checkpoint yet are looked at again together with it.
    if (last && (statement || entries.every(isAboutLedgers)))
      remember(deps, `witness:${agent}`, last, fileNameOf(newest[0]))
  }
  return problems
}

function isAboutLedgers({ type }: LedgerEntry): boolean {
  return type === 'ledger.checkpoint' || type === 'ledger.witnessed'
}

function faultOf(
  statement: Checkpoint,
  agent: string,
  entries: readonly LedgerEntry[],
  seen: Seen | undefined,
): string | undefined {
  if (statement.agent !== agent) return `a checkpoint in the name of ${statement.agent}`
  const stated = [...entries, ...(seen ? [seen] : [])].find((entry) => entry.seq === statement.seq)
  return stated && stated.hash !== statement.hash ? 'the checkpoint is of another chain' : undefined
}

function ownFiles({ scanner, agent }: SyncDeps): Map<VaultPath, Oid> {
  return new Map([...scanner.view.in(`Logs/${agent}`)].map(([path, { oid }]) => [path, oid]))
}

/** Ledger files from a day on, oldest first. */
function logFiles(files: ReadonlyMap<VaultPath, Oid>, from: string): [VaultPath, Oid][] {
  return [...files].filter(([path]) => fileNameOf(path) >= from).sort(([a], [b]) => (a < b ? -1 : 1))
}

async function readEntries(files: readonly [VaultPath, Oid][], deps: SyncDeps): Promise<LedgerEntry[]> {
  const texts = await Promise.all(files.map(([, oid]) => readText(oid, deps)))
  return texts.flatMap((text) => text.split('\n').flatMap((line) => parseLedgerLine(line) ?? []))
}

async function readText(oid: Oid, { repo }: SyncDeps): Promise<string> {
  return Buffer.from(await repo.readBlob(oid, MAX_LOG_BYTES)).toString('utf8')
}

/** What follows the entries seen before; they were verified then, and no commit may change a ledger's past. */
function after(seen: Seen | undefined, text: string): string {
  if (!seen) return text
  const lines = text.split('\n')
  const first = lines.findIndex((line) => (parseLedgerLine(line)?.seq ?? Number.POSITIVE_INFINITY) > seen.seq)
  return lines.slice(first).join('\n')
}

function seenOf({ store }: SyncDeps, name: string): Seen | undefined {
  const text = store.fact(name)
  return text === undefined ? undefined : (JSON.parse(text) as Seen)
}

function remember({ store }: SyncDeps, name: string, { seq, hash }: LedgerHead, file: string): void {
  store.update({ facts: { [name]: JSON.stringify({ seq, hash, file }) } })
}
