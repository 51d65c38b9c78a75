import { JOURNAL_SCHEMA } from '#adapters/journal/schema.ts'
import type { Stores } from '../../cli/upgrade/stores.ts'
import { seenWithSubjects } from './migrate-main.ts'

/** What a later program might make of two of the stores: triage's in two steps, the journal's in one. `before` each statement. */
export function upgradeStores(
  before: () => void = () => {},
  journalSql = 'ALTER TABLE intents ADD COLUMN note TEXT',
): Stores {
  return {
    'triage.sqlite': seenWithSubjects(before),
    'journal.sqlite': {
      ...JOURNAL_SCHEMA,
      migrations: [
        {
          say: 'notes of intents',
          step(database) {
            before()
            database.exec(journalSql)
            before()
          },
        },
      ],
    },
  }
}
