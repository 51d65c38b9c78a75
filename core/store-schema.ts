import { CountersignError } from './errors.ts'

/** What is asked of SQLite to look at the version of a file and to change its tables. */
export interface StoreDatabase {
  exec(sql: string): void
  prepare(sql: string): { get(): Record<string, unknown> | undefined }
  readonly isTransaction: boolean
}

type Step = string | ((database: StoreDatabase) => void)

/** One step of a store's tables forward. */
export interface Migration {
  /** What changes, for people: half a sentence. */
  readonly say: string
  /** Runs inside a transaction, and must neither end nor begin one. */
  readonly step: Step
}

/** The tables of one SQLite file, and how those of older programs become them. */
export interface StoreSchema {
  /**
   * Makes the tables of the first version in an empty file, or in one from before versions were kept. Never changed any more:
   * what comes later is a migration.
   */
  readonly first: Step
  /** The number of that first version; 1 if not said. */
  readonly firstVersion?: number
  /** The first leads to the version after it, and so on. One that was released is never changed. */
  readonly migrations: readonly Migration[]
}

/** The version that this program works with. */
export function currentVersion({ firstVersion = 1, migrations }: StoreSchema): number {
  return firstVersion + migrations.length
}

/** The version a file has (`PRAGMA user_version`); 0: it is empty, or from before versions were kept. */
export function versionOf(database: StoreDatabase): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}

export function isEmpty(database: StoreDatabase): boolean {
  return Number(database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables) === 0
}

/**
 * Lets a program go on with a file whose tables are those it knows; makes them when the file is empty. `path` is for the
 * message. A file of another version is left as it is: throws ERR_STATE_NEWER, or ERR_STATE_OUTDATED when it has to be
 * migrated first, which only `countersign upgrade` does, with a backup made and nothing running.
 */
export function ensureSchema(database: StoreDatabase, schema: StoreSchema, path: string): void {
  const { firstVersion = 1, migrations } = schema
  if (refuseOther(database, schema, path) === currentVersion(schema)) return
  inTransaction(database, () => {
    // Another process may have made them meanwhile.
    const found = refuseOther(database, schema, path)
    if (found === currentVersion(schema)) return
    run(database, schema.first)
    // Those of a file from before versions were kept, and there is nothing to migrate (`refuseOther`), or of a new one.
    for (const { step } of migrations) run(database, step)
    setVersion(database, firstVersion + migrations.length)
  })
}

/** The file's version, when it may be worked with as it is, or be made. */
function refuseOther(database: StoreDatabase, schema: StoreSchema, path: string): number {
  const found = versionOf(database)
  refuseNewer(found, schema, path)
  if (dueSteps(database, schema).length === 0) return found
  throw new CountersignError(
    'ERR_STATE_OUTDATED',
    `opening ${path}: its tables are of version ${found || 'none'}, this program works with version ${currentVersion(schema)}`,
  )
}

/** For those who only read. Throws ERR_STATE_NEWER. */
export function refuseNewer(found: number, schema: StoreSchema, path: string): void {
  const current = currentVersion(schema)
  if (found <= current) return
  throw new CountersignError(
    'ERR_STATE_NEWER',
    `opening ${path}: a newer program wrote it (tables of version ${found}, this one knows up to ${current})`,
  )
}

/** What `migrate` would do, in words; empty for a file that is empty or current. */
export function dueSteps(database: StoreDatabase, schema: StoreSchema): string[] {
  const { firstVersion = 1, migrations } = schema
  const found = versionOf(database)
  if (found === 0 && isEmpty(database)) return []
  return migrations.slice(Math.max(0, found - firstVersion)).map(({ say }) => say)
}

/**
 * Brings the tables of a file that nobody else has open to the current version, keeping what is in them: each step is one
 * transaction together with the new number, so that a process that dies leaves one version or the next. Throws
 * ERR_STATE_NEWER, or ERR_MIGRATION_FAILED when a step fails, which leaves the version before it.
 */
export function migrate(database: StoreDatabase, schema: StoreSchema, path: string): void {
  const { firstVersion = 1, migrations } = schema
  const found = versionOf(database)
  refuseNewer(found, schema, path)
  const steps = [
    ...(found < firstVersion ? [{ say: 'numbers its tables', step: schema.first, to: firstVersion }] : []),
    ...migrations.map((one, index) => ({ ...one, to: firstVersion + index + 1 })),
  ]
  for (const { say, step, to } of steps.filter((one) => one.to > found)) {
    try {
      inTransaction(database, () => {
        if (versionOf(database) >= to) return // Another did it.
        run(database, step)
        setVersion(database, to)
      })
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new CountersignError('ERR_MIGRATION_FAILED', `migrating ${path} to version ${to} (${say}): ${why}`, {
        cause,
      })
    }
  }
}

function run(database: StoreDatabase, step: Step): void {
  if (typeof step === 'string') database.exec(step)
  else step(database)
}

function setVersion(database: StoreDatabase, version: number): void {
  database.exec(`PRAGMA user_version = ${version}`)
}

function inTransaction(database: StoreDatabase, act: () => void): void {
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
