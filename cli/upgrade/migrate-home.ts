import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import { dueSteps, migrate, refuseNewer, type StoreSchema, versionOf } from '#core/store-schema.ts'
import { readHomeRecord, writeHomeRecord } from '#runtime/home-version.ts'
import type { ZoneHome } from '../zone-home.ts'
import type { Stores } from './stores.ts'

/** In the zone home: how far an upgrade is, and the files as they were before it. */
const FOLDER = 'before-upgrade'
const RECORD = 'upgrade.json'
const PROGRAM = 'program.json'
const SQLITE_BUSY = 5

const progressSchema = z.strictObject({
  from: z.string().optional(),
  to: z.string(),
  at: z.iso.datetime(),
  /** `putting-back`: a step had failed. `migrated`: nothing is put back any more, for the new program may have run. */
  stage: z.enum(['stopping', 'migrating', 'putting-back', 'migrated']),
  /** The snapshot that was made for it; absent: `--without-backup`. */
  backup: z.string().optional(),
  /** The services that ran before, and are to run again. */
  services: z.array(z.string()),
})

/** How far an upgrade is that was begun. */
export type Progress = z.infer<typeof progressSchema>

/** What a store's file would go through; a file that is not there goes through nothing. */
export type Due = { readonly store: string; readonly steps: readonly string[] }

/** The state of one zone home, as an upgrade works on it while nothing else does. */
export function upgradeFiles(home: ZoneHome, stores: Stores, program: string, now: () => number) {
  const folder = join(home.root, FOLDER)
  const copyOf = (store: string) => join(folder, store)
  const due = (): Due[] =>
    Object.entries(stores)
      .filter(([store]) => existsSync(join(home.state, store)))
      .map(([store, schema]) => ({ store, steps: stepsOf(join(home.state, store), schema) }))
      .filter(({ steps }) => steps.length > 0)

  const progress = (): Progress | undefined => {
    const file = join(folder, RECORD)
    if (!existsSync(file)) return undefined
    const parsed = progressSchema.safeParse(parsedJson(readFileSync(file, 'utf8')))
    if (parsed.success) return parsed.data
    throw new CountersignError(
      'ERR_UPGRADE_FAILED',
      `reading ${file}: another program wrote it, finish the upgrade with that one`,
    )
  }
  const save = (progress: Progress) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, `${RECORD}.tmp`), JSON.stringify(progress), { mode: 0o600, flush: true })
    renameSync(join(folder, `${RECORD}.tmp`), join(folder, RECORD))
    syncPath(folder)
  }

  const putBack = (progress: Progress) => {
    save({ ...progress, stage: 'putting-back' })
    for (const store of Object.keys(stores)) {
      if (!existsSync(copyOf(store))) continue
      const file = join(home.state, store)
      // What still waits there was of the migrated file, and would be taken for the other's.
      for (const suffix of ['-wal', '-shm', '-journal']) rmSync(`${file}${suffix}`, { force: true })
      replace(copyOf(store), file)
    }
    const record = join(home.state, PROGRAM)
    if (existsSync(copyOf(PROGRAM))) replace(copyOf(PROGRAM), record)
    else rmSync(record, { force: true })
    finish()
  }
  const finish = () => rmSync(folder, { recursive: true, force: true })

  return {
    due,
    progress,
    save,
    putBack,
    /** The home is migrated: the zone may start. */
    release: () => writeHomeRecord(home.state, program, now()),
    /** The upgrade is over, and nothing of it is kept. */
    finish,
    /**
     * Keeps each file that is to change, and changes them: all, or none (throws ERR_MIGRATION_FAILED, and all stand as before).
     * Nothing else may work on the home meanwhile. Killed anywhere, it may be called again.
     */
    async migrate(progress: Progress): Promise<readonly Due[]> {
      // From here on nobody else starts.
      if (progress.stage === 'stopping') keepRecord()
      writeHomeRecord(home.state, program, now(), true)
      save({ ...progress, stage: 'migrating' })
      try {
        const changing = due()
        for (const { store } of changing) await keepCopy(join(home.state, store), copyOf(store))
        for (const [store, schema] of Object.entries(stores)) migrateFile(join(home.state, store), schema)
        save({ ...progress, stage: 'migrated' })
        return changing
      } catch (error) {
        putBack(progress)
        throw error
      }
    },
  }

  function keepRecord(): void {
    // Killed right after it was replaced: what was there before is kept already.
    if (readHomeRecord(home.state)?.unfinished) return
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    rmSync(copyOf(PROGRAM), { force: true })
    if (existsSync(join(home.state, PROGRAM))) replace(join(home.state, PROGRAM), copyOf(PROGRAM))
  }
}

export type UpgradeFiles = ReturnType<typeof upgradeFiles>

/** Throws ERR_STATE_NEWER for a file that a newer program wrote. */
function stepsOf(file: string, schema: StoreSchema): string[] {
  try {
    using database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 })
    refuseNewer(versionOf(database), schema, file)
    return dueSteps(database, schema)
  } catch (error) {
    // The session of WhatsApp holds its file for itself.
    if (error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY)
      return ['cannot be looked at while it runs']
    throw error
  }
}

function versionOfFile(file: string): number {
  using database = new DatabaseSync(file, { readOnly: true })
  return versionOf(database)
}

function migrateFile(file: string, schema: StoreSchema): void {
  if (!existsSync(file)) return
  using database = new DatabaseSync(file, { timeout: 5_000 })
  database.exec('PRAGMA synchronous = FULL')
  migrate(database, schema, file)
}

/** A copy that an attempt before made stays when that one has taken the file further already. */
async function keepCopy(file: string, to: string): Promise<void> {
  if (existsSync(to) && versionOfFile(to) !== versionOfFile(file)) return
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
  try {
    using source = new DatabaseSync(file, { timeout: 5_000 })
    rmSync(`${to}.tmp`, { force: true })
    await backup(source, `${to}.tmp`)
    using copy = new DatabaseSync(`${to}.tmp`)
    copy.exec('PRAGMA journal_mode = DELETE')
    const { integrity_check: verdict } = copy.prepare('PRAGMA integrity_check(1)').get() ?? {}
    if (verdict !== 'ok') throw new Error(String(verdict))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CountersignError('ERR_MIGRATION_FAILED', `keeping a copy of ${file} before it is migrated: ${why}`, {
      cause,
    })
  }
  syncPath(`${to}.tmp`)
  renameSync(`${to}.tmp`, to)
}

/** Puts a copy in a file's place, by one rename. */
function replace(copy: string, file: string): void {
  copyFileSync(copy, `${file}.tmp`)
  syncPath(`${file}.tmp`)
  renameSync(`${file}.tmp`, file)
  syncPath(dirname(file))
}

function syncPath(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
