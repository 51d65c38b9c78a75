import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { mergeKey } from '#core/merge.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { HubFile, PushIntent, StoreChange, SyncStore } from '#core/ports/sync-store.ts'
import { ensureSchema, type StoreSchema } from '#core/store-schema.ts'
import type { VaultPath } from '#core/vault-path.ts'
import { baseRow, filesOf, type Row } from './rows.ts'

const CONFLICT_COPY = "path LIKE '%.conflict-%.md'"
const TABLES = `
  CREATE TABLE IF NOT EXISTS base (
    path TEXT PRIMARY KEY, key TEXT NOT NULL, folder TEXT NOT NULL, oid TEXT NOT NULL,
    ino TEXT, size INTEGER, mtime_ns TEXT, ctime_ns TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS base_key ON base(key);
  CREATE INDEX IF NOT EXISTS base_folder ON base(folder);
  CREATE TABLE IF NOT EXISTS hub (
    path TEXT PRIMARY KEY, key TEXT NOT NULL, oid TEXT NOT NULL, size INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS hub_key ON hub(key);
  CREATE INDEX IF NOT EXISTS hub_conflicts ON hub(path) WHERE ${CONFLICT_COPY};
  CREATE TABLE IF NOT EXISTS stamp (key TEXT PRIMARY KEY, hlc TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS applying (path TEXT PRIMARY KEY, oid TEXT) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS intent (commit_id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`
/** Tables of an earlier version hold nothing that the hub's history does not tell again. */
const FORGET = `
  DROP TABLE IF EXISTS base;
  DROP TABLE IF EXISTS hub;
  CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  DELETE FROM fact WHERE name IN ('based', 'hub_at');
`
/** What each file was last synchronised as, and the tree of the hub. */
export const SYNC_SCHEMA: StoreSchema = { first: FORGET + TABLES, firstVersion: 2, migrations: [] }

/**
 * Opens (or makes, 0600) sync's memory in one SQLite file; `:memory:` for tests. A power cut loses no update that had
 * returned. When the file is lost, sync rebuilds it from the hub's history.
 */
export function openSyncStore(file: string): SyncStore {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(file, { timeout: 5_000 })
  if (file !== ':memory:') chmodSync(file, 0o600)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  ensureSchema(database, SYNC_SCHEMA, file)
  const prepared = preparer(database)
  const all = (query: string, ...values: (string | number)[]) => prepared(query).all(...values) as Row[]
  const one = (query: string, value: string) => prepared(query).get(value) as Row | undefined
  const text = (query: string, value: string, column: string) => {
    const found = one(query, value)?.[column]
    return typeof found === 'string' ? found : undefined
  }
  const byKeys = (query: string, keys: Iterable<string>) => [...keys].flatMap((key) => all(query, key))
  return {
    baseOf: (keys) => filesOf(byKeys('SELECT * FROM base WHERE key = ?', keys), baseRow),
    baseRow(path) {
      const row = one('SELECT * FROM base WHERE path = ?', path)
      return row && baseRow(row)
    },
    baseIn: (folder) => filesOf(all('SELECT * FROM base WHERE folder = ?', folder), baseRow),
    baseFolders: () => all('SELECT DISTINCT folder FROM base').map((row) => String(row.folder)),
    somePaths: (limit) => all('SELECT path FROM base LIMIT ?', limit).map((row) => String(row.path) as VaultPath),
    hubOf: (keys) => filesOf(byKeys('SELECT * FROM hub WHERE key = ?', keys), hubFile),
    hubUnder: (prefix) =>
      filesOf(all('SELECT * FROM hub WHERE path >= ? AND path < ?', prefix, `${prefix}\u{10ffff}`), hubFile),
    hubConflicts: () =>
      all(`SELECT path FROM hub WHERE ${CONFLICT_COPY} ORDER BY path`).map((row) => String(row.path) as VaultPath),
    unequalKeys: () => new Set(all(UNEQUAL).map((row) => String(row.key))),
    stamp: (key) => text('SELECT hlc FROM stamp WHERE key = ?', key, 'hlc'),
    applying: () =>
      filesOf(all('SELECT * FROM applying'), (row) => (row.oid === null ? null : (String(row.oid) as Oid))),
    intents: () => all('SELECT document FROM intent').map((row) => JSON.parse(String(row.document)) as PushIntent),
    fact: (name) => text('SELECT value FROM fact WHERE name = ?', name, 'value'),
    update: (change) => transaction(database, () => apply(prepared, change)),
    [Symbol.dispose]: () => database.close(),
  }
}

const UNEQUAL = `
  SELECT hub.key AS key FROM hub LEFT JOIN base ON base.path = hub.path WHERE base.oid IS NOT hub.oid
  UNION
  SELECT base.key AS key FROM base LEFT JOIN hub ON hub.path = base.path WHERE hub.oid IS NULL
`

type Prepare = (query: string) => StatementSync

function preparer(database: DatabaseSync): Prepare {
  const statements = new Map<string, StatementSync>()
  return (query) => {
    const known = statements.get(query)
    if (known) return known
    const fresh = database.prepare(query)
    statements.set(query, fresh)
    return fresh
  }
}

function hubFile(row: Row): HubFile {
  return { oid: String(row.oid) as Oid, size: Number(row.size) }
}

function transaction(database: DatabaseSync, act: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    act()
    database.exec('COMMIT')
  } catch (error) {
    // A full disk has ended it already.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function apply(prepared: Prepare, change: StoreChange): void {
  const run = (query: string, ...values: (string | number | null)[]) => void prepared(query).run(...values)
  for (const [path, row] of change.base ?? []) {
    if (row === null) run('DELETE FROM base WHERE path = ?', path)
    else {
      const { ino, size, mtimeNs, ctimeNs } = row.identity ?? { ino: null, size: null, mtimeNs: null, ctimeNs: null }
      const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
      const values = [path, mergeKey(path), folder, row.oid, ino, size, mtimeNs, ctimeNs]
      run('INSERT OR REPLACE INTO base VALUES (?, ?, ?, ?, ?, ?, ?, ?)', ...values)
    }
  }
  if (change.wholeHub) run('DELETE FROM hub')
  for (const [path, file] of [...(change.wholeHub ?? []), ...(change.hub ?? [])]) {
    if (file === null) run('DELETE FROM hub WHERE path = ?', path)
    else run('INSERT OR REPLACE INTO hub VALUES (?, ?, ?, ?)', path, mergeKey(path), file.oid, file.size)
  }
  for (const [key, hlc] of change.stamps ?? []) run('INSERT OR REPLACE INTO stamp VALUES (?, ?)', key, hlc)
  if (change.applying) run('DELETE FROM applying')
  for (const [path, oid] of change.applying ?? []) run('INSERT INTO applying VALUES (?, ?)', path, oid)
  const { addIntent } = change
  if (addIntent) run('INSERT OR REPLACE INTO intent VALUES (?, ?)', addIntent.commit, JSON.stringify(addIntent))
  for (const commit of change.removeIntents ?? []) run('DELETE FROM intent WHERE commit_id = ?', commit)
  for (const [name, value] of Object.entries(change.facts ?? {})) {
    if (value === null) run('DELETE FROM fact WHERE name = ?', name)
    else run('INSERT OR REPLACE INTO fact VALUES (?, ?)', name, value)
  }
}
