import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { FileIdentity } from '#core/file-identity.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { BaseRow, PushIntent, StoreChange, SyncStore } from '#core/ports/sync-store.ts'
import type { VaultPath } from '#core/vault-path.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS base (
    path TEXT PRIMARY KEY, oid TEXT NOT NULL, ino TEXT, size INTEGER, mtime_ns TEXT, ctime_ns TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS stamp (key TEXT PRIMARY KEY, hlc TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS applying (path TEXT PRIMARY KEY, oid TEXT) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS intent (commit_id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

/**
 * Opens (or makes, 0600) sync's memory in one SQLite file; `:memory:` for tests. A power cut loses no update that had
 * returned. When the file is lost, sync rebuilds it from the hub's history.
 */
export function openSyncStore(file: string): SyncStore {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(file, { timeout: 5_000 })
  if (file !== ':memory:') chmodSync(file, 0o600)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec(SCHEMA)
  return {
    base: () =>
      new Map(rows(database, 'SELECT * FROM base').map((row) => [String(row.path) as VaultPath, baseRow(row)])),
    stamp: (key) => text(database.prepare('SELECT hlc FROM stamp WHERE key = ?').get(key)?.hlc),
    applying: () =>
      new Map(
        rows(database, 'SELECT * FROM applying').map((row) => [
          String(row.path) as VaultPath,
          (text(row.oid) as Oid | undefined) ?? null,
        ]),
      ),
    intents: () =>
      rows(database, 'SELECT document FROM intent').map((row) => JSON.parse(String(row.document)) as PushIntent),
    fact: (name) => text(database.prepare('SELECT value FROM fact WHERE name = ?').get(name)?.value),
    update: (change) => transaction(database, () => apply(database, change)),
    [Symbol.dispose]: () => database.close(),
  }
}

type Row = Record<string, SQLOutputValue>

function rows(database: DatabaseSync, query: string): Row[] {
  return database.prepare(query).all() as Row[]
}

function text(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function baseRow(row: Row): BaseRow {
  const identity: FileIdentity | null =
    row.ino === null
      ? null
      : {
          ino: String(row.ino),
          size: Number(row.size),
          mtimeNs: String(row.mtime_ns),
          ctimeNs: String(row.ctime_ns),
        }
  return { oid: String(row.oid) as Oid, identity }
}

function transaction(database: DatabaseSync, act: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    act()
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

function apply(database: DatabaseSync, change: StoreChange): void {
  const setBase = database.prepare('INSERT OR REPLACE INTO base VALUES (?, ?, ?, ?, ?, ?)')
  const dropBase = database.prepare('DELETE FROM base WHERE path = ?')
  for (const [path, row] of change.base ?? []) {
    if (row === null) dropBase.run(path)
    else {
      const { ino, size, mtimeNs, ctimeNs } = row.identity ?? { ino: null, size: null, mtimeNs: null, ctimeNs: null }
      setBase.run(path, row.oid, ino, size, mtimeNs, ctimeNs)
    }
  }
  const setStamp = database.prepare('INSERT OR REPLACE INTO stamp VALUES (?, ?)')
  for (const [key, hlc] of change.stamps ?? []) setStamp.run(key, hlc)
  if (change.applying) {
    database.exec('DELETE FROM applying')
    const setApplying = database.prepare('INSERT INTO applying VALUES (?, ?)')
    for (const [path, oid] of change.applying) setApplying.run(path, oid)
  }
  const { addIntent } = change
  if (addIntent)
    database.prepare('INSERT OR REPLACE INTO intent VALUES (?, ?)').run(addIntent.commit, JSON.stringify(addIntent))
  const dropIntent = database.prepare('DELETE FROM intent WHERE commit_id = ?')
  for (const commit of change.removeIntents ?? []) dropIntent.run(commit)
  const setFact = database.prepare('INSERT OR REPLACE INTO fact VALUES (?, ?)')
  const dropFact = database.prepare('DELETE FROM fact WHERE name = ?')
  for (const [name, value] of Object.entries(change.facts ?? {})) {
    if (value === null) dropFact.run(name)
    else setFact.run(name, value)
  }
}
