import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSeenMail, SEEN_SCHEMA } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { seenWithSubjects } from '#tests/support/migrate-main.ts'
import { dueSteps, ensureSchema, migrate, type StoreSchema, versionOf } from './store-schema.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-schema-'))
  file = join(folder, 'triage.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const TO = seenWithSubjects()
const refused = (code: string) => expect.objectContaining({ code })

function withFile<T>(act: (database: DatabaseSync) => T): T {
  using database = new DatabaseSync(file)
  return act(database)
}

/** A file as the program of now leaves it. */
function filledFile() {
  using seen = openSeenMail(file)
  for (const key of ['a', 'b', 'c']) seen.add(key, { at: 7 })
  seen.raiseHighWater('INBOX', { epoch: '1', mark: '12' }, 8)
}

function tables(): string[] {
  const rows = withFile((database) => database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all())
  return rows.map((row) => String(row.name)).sort()
}

describe('a file is worked with', () => {
  it('when it is empty: its tables are made, those of every migration', () => {
    withFile((database) => {
      ensureSchema(database, TO, file)
      expect(versionOf(database)).toBe(3)
      expect(dueSteps(database, TO)).toEqual([])
    })
    expect(tables()).toEqual(['marks', 'taken'])
  })

  it('when it is from before versions were kept and nothing is to be migrated: it gets its number and keeps what is in it', () => {
    filledFile()
    withFile((database) => database.exec('PRAGMA user_version = 0'))
    using seen = openSeenMail(file)
    expect(seen.has('b')).toBe(true)
    expect(withFile(versionOf)).toBe(1)
  })

  it('but not when it has to be migrated first, and it stays as it is', () => {
    filledFile()
    for (const version of [1, 0]) {
      withFile((database) => {
        database.exec(`PRAGMA user_version = ${version}`)
        expect(() => ensureSchema(database, TO, file)).toThrow(refused('ERR_STATE_OUTDATED'))
        expect(dueSteps(database, TO)).toEqual(['remembers subjects', 'calls its messages taken'])
        expect(versionOf(database)).toBe(version)
      })
      expect(tables()).toEqual(['marks', 'messages'])
    }
  })

  it('and never when a newer program wrote it', () => {
    filledFile()
    withFile((database) => migrate(database, TO, file))
    expect(() => openSeenMail(file)).toThrow(refused('ERR_STATE_NEWER'))
    withFile((database) => {
      expect(() => migrate(database, SEEN_SCHEMA, file)).toThrow(/tables of version 3, this one knows up to 1/)
      expect(versionOf(database)).toBe(3)
    })
    expect(tables()).toEqual(['marks', 'taken'])
  })
})

describe('a migration', () => {
  it('keeps all that is in the file, and done again changes nothing', () => {
    filledFile()
    for (const _again of [1, 2]) {
      withFile((database) => {
        migrate(database, TO, file)
        expect(
          database
            .prepare('SELECT key, at, subject FROM taken')
            .all()
            .map((row) => ({ ...row })),
        ).toEqual(['a', 'b', 'c'].map((key) => ({ key, at: 7, subject: 'unknown' })))
        expect(database.prepare('SELECT mark FROM marks').get()?.mark).toBe('12')
        expect(versionOf(database)).toBe(3)
      })
    }
  })

  it('takes a file from before versions were kept through all steps', () => {
    filledFile()
    withFile((database) => {
      database.exec('PRAGMA user_version = 0')
      migrate(database, TO, file)
      expect(versionOf(database)).toBe(3)
      expect(database.prepare('SELECT count(*) AS rows FROM taken').get()?.rows).toBe(3)
    })
  })

  it.each([
    [0, 0, 1],
    [0, 1, 1],
    [0, 2, 1],
    [1, 0, 2],
    [1, 1, 2],
    [1, 2, 2],
    [1, 3, 2],
  ])(
    'killed in step %i before statement %i leaves version %i whole, and goes on from there',
    (step, statement, left) => {
      filledFile()
      const script = join(import.meta.dirname, '../tests/support/migrate-main.ts')
      const { signal } = spawnSync(process.execPath, [script, file, String(step), String(statement)])
      expect(signal).toBe('SIGKILL')
      withFile((database) => {
        expect(versionOf(database)).toBe(left)
        const columns = database.prepare("SELECT name FROM pragma_table_info('messages')").all()
        expect(columns.map(({ name }) => name)).toEqual(['key', 'task_id', 'at', ...(left > 1 ? ['subject'] : [])])
        expect(database.prepare('SELECT count(*) AS rows FROM messages').get()?.rows).toBe(3)
        expect(database.prepare('PRAGMA integrity_check').get()?.integrity_check).toBe('ok')
        migrate(database, TO, file)
        expect(database.prepare('SELECT count(*) AS rows FROM taken').get()?.rows).toBe(3)
      })
    },
  )

  it('that fails half way leaves the version before it, and says which step failed', () => {
    filledFile()
    const failing: StoreSchema = {
      ...TO,
      migrations: TO.migrations.map((one, index) =>
        index === 1 ? { say: 'cannot', step: 'DROP TABLE messages; INSERT INTO nowhere VALUES (1)' } : one,
      ),
    }
    withFile((database) => {
      expect(() => migrate(database, failing, file)).toThrow(/to version 3 \(cannot\): no such table: nowhere/)
      expect(() => migrate(database, failing, file)).toThrow(refused('ERR_MIGRATION_FAILED'))
      expect(versionOf(database)).toBe(2)
      expect(database.prepare('SELECT count(*) AS rows FROM messages').get()?.rows).toBe(3)
      migrate(database, TO, file)
      expect(versionOf(database)).toBe(3)
    })
  })
})
