import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { currentVersion, ensureSchema, versionOf } from '#core/store-schema.ts'
import { storesOf } from '../../cli/upgrade/stores.ts'

// The tables that stand on people's disks. Red here says: files that are there would not become these. Leave `first` and
// every released migration as they are, and add a migration (docs/upgrade.md#for-developers); then a new version and digest belong here.

const root = join(import.meta.dirname, '../..')
/** Locks: nothing is in them. */
const LOCKS = ['countersign-lock.sqlite', 'lock.sqlite', 'service.sqlite']

test('the tables of each store', async () => {
  const found: Record<string, string> = {}
  for (const [name, schema] of Object.entries(await storesOf('local'))) {
    using database = new DatabaseSync(':memory:')
    ensureSchema(database, schema, name)
    expect(versionOf(database)).toBe(currentVersion(schema))
    const sql = database.prepare("SELECT sql FROM sqlite_schema WHERE sql <> '' ORDER BY name").all()
    const plain = sql.map((row) => String(row.sql).replaceAll(/--.*/g, '').replaceAll(/\s+/g, ' ')).join(';')
    found[name] = `version ${versionOf(database)}, ${createHash('sha256').update(plain).digest('hex').slice(0, 12)}`
  }
  expect(found).toMatchInlineSnapshot(`
    {
      "bounces.sqlite": "version 1, 69673fc67c2e",
      "journal.sqlite": "version 1, d74806201797",
      "ledger.sqlite": "version 1, 41720497108e",
      "received.sqlite": "version 1, 1e5e1e9a92f3",
      "spend.sqlite": "version 1, f21cf69b5dec",
      "sync.sqlite": "version 2, 4b5b58b68a9d",
      "threads.sqlite": "version 1, 16470c360862",
      "triage.sqlite": "version 1, 69673fc67c2e",
      "whatsapp-taken.sqlite": "version 1, 69673fc67c2e",
      "whatsapp/whatsapp.sqlite": "version 1, b9f82ff663fd",
    }
  `)
})

test('every SQLite file that the program names has its place in the list of those that are migrated', async () => {
  const sources = globSync('{adapters,services,mcp,cli,runtime}/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts'),
  )
  const named = sources.flatMap((file) => [
    ...readFileSync(join(root, file), 'utf8').matchAll(/'(?:[\w-]+\/)*([\w-]+\.sqlite)'/g),
  ])
  const files = new Set(named.map(([, name = '']) => name).filter((name) => !LOCKS.includes(name)))
  const listed = Object.keys(await storesOf('local')).map((path) => basename(path))
  expect([...files].sort()).toEqual(listed.toSorted())
})
