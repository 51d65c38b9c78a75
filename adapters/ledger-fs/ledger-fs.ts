import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CountersignError } from '#core/errors.ts'
import { chainEntry, type LedgerEntry, type LedgerHead, parseLedgerLine, renderLedgerLine } from '#core/ledger.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import { ensureSchema, type StoreSchema } from '#core/store-schema.ts'
import { LOG_FILE } from '#core/vault-path.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { applyTakeOver, type LedgerDay, planTakeOver } from './take-over.ts'

export interface LedgerOptions {
  readonly vaultRoot: string
  readonly stateDir: string
  readonly agent: string
  readonly clock: Clock
  /** Told of each entry. */
  readonly metrics?: Pick<Metrics, 'count' | 'observe'>
}

export interface LedgerFs extends LedgerPort, Disposable {
  /** The newest entry this machine remembers: the anchor that shows a cut tail. */
  head(): LedgerHead | null
  /** Takes over days as another machine has them (`planTakeOver`). False: nothing in them is new. `before` is called first, if anything is. */
  takeOver(days: readonly LedgerDay[], before: () => void): Promise<boolean>
}

/** The newest entry that this machine remembers. */
export const LEDGER_SCHEMA: StoreSchema = {
  first:
    'CREATE TABLE IF NOT EXISTS head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)',
  migrations: [],
}

/** Longest line this program writes, with room: a tail of this many bytes holds the last line whole. */
const TAIL_BYTES = 64 * 1024

/**
 * Opens this agent's ledger: `Logs/<agent>/<day>.jsonl` in the vault, its head in `<state>/ledger.sqlite`. The database
 * is the lock between a zone's processes; the file is the truth. A process that dies between the two leaves either a
 * torn line (cut off: nobody has seen it, sync ships whole lines only) or one entry the head has not heard of (adopted).
 */
export function openLedger(options: LedgerOptions): LedgerFs {
  const folder = join(options.vaultRoot, 'Logs', options.agent)
  mkdirSync(folder, { recursive: true })
  mkdirSync(options.stateDir, { recursive: true })
  const file = join(options.stateDir, 'ledger.sqlite')
  const database = new DatabaseSync(file)
  database.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  ensureSchema(database, LEDGER_SCHEMA, file)

  const remembered = (): LedgerHead | null => {
    const row = database.prepare('SELECT seq, hash FROM head').get() as { seq: number; hash: string } | undefined
    return row ? { seq: row.seq, hash: row.hash } : null
  }
  const remember = (head: LedgerHead) =>
    database
      .prepare('INSERT INTO head VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash')
      .run(head.seq, head.hash)

  return {
    head: remembered,
    append(type, entry = {}) {
      const askedAt = performance.now()
      return Promise.try(() => {
        database.exec('BEGIN IMMEDIATE')
        try {
          const head = settledHead(folder, remembered())
          const at = new Date(options.clock.now()).toISOString()
          const sealed = chainEntry(head, { at, agent: options.agent, type, ...definedFields(entry) })
          appendLine(join(folder, `${dayFor(at, newestFile(folder))}.jsonl`), renderLedgerLine(sealed))
          remember(sealed)
          database.exec('COMMIT')
          options.metrics?.count('countersign_ledger_entries_total', { type })
          options.metrics?.observe('countersign_ledger_append_seconds', (performance.now() - askedAt) / 1000, {})
          return sealed
        } catch (error) {
          // A full disk has ended it already.
          if (database.isTransaction) database.exec('ROLLBACK')
          throw error
        }
      })
    },
    takeOver: (days, before) =>
      Promise.try(() => {
        database.exec('BEGIN IMMEDIATE')
        try {
          const plan = planTakeOver(folder, days)
          if (plan) {
            before()
            applyTakeOver(folder, plan, replaceDurably)
            remember(plan.head)
          }
          database.exec('COMMIT')
          return plan !== undefined
        } catch (error) {
          if (database.isTransaction) database.exec('ROLLBACK')
          throw error
        }
      }),
    [Symbol.dispose]: () => database.close(),
  }
}

/** The head to go on from: what the newest file ends with, held against what is remembered. */
function settledHead(folder: string, remembered: LedgerHead | null): LedgerHead | null {
  const newest = newestFile(folder)
  const last = newest ? lastEntry(join(folder, newest)) : undefined
  if (!last) {
    if (!remembered) return null
    throw broken(folder, `entry ${remembered.seq} is remembered but the files hold none`)
  }
  const isKnown = !remembered || (last.seq === remembered.seq && last.hash === remembered.hash)
  const isNext = remembered && last.seq === remembered.seq + 1 && last.prev === remembered.hash
  if (isKnown || isNext) return { seq: last.seq, hash: last.hash }
  throw broken(folder, `it ends with entry ${last.seq}, but entry ${remembered?.seq} is remembered`)
}

function lastEntry(file: string): LedgerEntry | undefined {
  const handle = openSync(file, 'r+')
  try {
    const { size } = fstatSync(handle)
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
    readSync(handle, tail, 0, tail.length, size - tail.length)
    const end = tail.lastIndexOf(10)
    if (end + 1 < tail.length) ftruncateSync(handle, size - tail.length + end + 1)
    if (end < 0) return undefined
    const start = tail.lastIndexOf(10, end - 1) + 1
    const entry = parseLedgerLine(tail.subarray(start, end).toString('utf8'))
    if (!entry) throw broken(file, 'its last line is no ledger entry')
    return entry
  } finally {
    closeSync(handle)
  }
}

function appendLine(file: string, line: string): void {
  try {
    appendDurably(file, line)
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new CountersignError('ERR_VAULT_WRITE_FAILED', `cannot write the ledger in the vault: ${found}`, { cause })
  }
}

function appendDurably(file: string, line: string): void {
  const isNew = !existsSync(file)
  const handle = openSync(file, 'a', 0o644)
  try {
    // The whole line or an error: a single write on a filling disk stops in the middle, and says nothing.
    writeFileSync(handle, `${line}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  if (isNew) syncFolder(join(file, '..'))
}

function replaceDurably(path: string, text: string): void {
  const temporary = join(path, '..', `.${basename(path)}.tmp`)
  const handle = openSync(temporary, 'w', 0o644)
  try {
    writeFileSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(temporary, path)
  syncFolder(join(path, '..'))
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function newestFile(folder: string): string | undefined {
  return readdirSync(folder)
    .filter((name) => LOG_FILE.test(name))
    .sort()
    .at(-1)
}

/** A clock set back must not write into a day before the newest file: the chain runs through the files in order. */
function dayFor(atIso: string, newest: string | undefined): string {
  const day = atIso.slice(0, 10)
  const newestDay = newest?.slice(0, 10)
  if (newestDay !== undefined && newestDay > day) return newestDay
  return day
}

function definedFields(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
}

function broken(where: string, found: string): CountersignError {
  return new CountersignError('ERR_LEDGER_BROKEN', `appending to the ledger ${where}: ${found}`)
}
