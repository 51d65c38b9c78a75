import { DatabaseSync } from 'node:sqlite'
import { SEEN_SCHEMA } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { migrate, type StoreSchema } from '#core/store-schema.ts'

// Migrates a file of triage by steps made for a test, and dies by SIGKILL where it is told: as `node migrate-main.ts <file>
// <step> <statement>`, before that statement of that step (both from 0). `SEEN_WITH_SUBJECTS` is what it migrates to.

const STEPS: readonly (readonly string[])[] = [
  ['ALTER TABLE messages ADD COLUMN subject TEXT', "UPDATE messages SET subject = 'unknown'"],
  [
    'CREATE TABLE taken (key TEXT PRIMARY KEY, task_id TEXT, at INTEGER NOT NULL, subject TEXT) STRICT, WITHOUT ROWID',
    'INSERT INTO taken SELECT key, task_id, at, subject FROM messages',
    'DROP TABLE messages',
  ],
]

/** The tables of triage as a later program might have them. */
export function seenWithSubjects(before: (step: number, statement: number) => void = () => {}): StoreSchema {
  return {
    ...SEEN_SCHEMA,
    migrations: STEPS.map((statements, step) => ({
      say: step === 0 ? 'remembers subjects' : 'calls its messages taken',
      step(database) {
        for (const [index, sql] of statements.entries()) {
          before(step, index)
          database.exec(sql)
        }
        before(step, statements.length)
      },
    })),
  }
}

if (import.meta.main) {
  const [, , file = '', step, statement] = process.argv
  const schema = seenWithSubjects((atStep, atStatement) => {
    if (atStep === Number(step) && atStatement === Number(statement)) process.kill(process.pid, 'SIGKILL')
  })
  using database = new DatabaseSync(file)
  migrate(database, schema, file)
}
