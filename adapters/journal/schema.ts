import type { StoreDatabase, StoreSchema } from '#core/store-schema.ts'

/** What brings a journal from before versions were kept to the tables of version 1; each only where it applies. */
const BEFORE_VERSIONS: readonly { readonly table: string; readonly lacks: string; readonly sql: string }[] = [
  { table: 'intents', lacks: 'key', sql: 'ALTER TABLE intents RENAME COLUMN message_id TO key' },
  { table: 'intents', lacks: 'link', sql: 'ALTER TABLE intents ADD COLUMN link TEXT' },
  { table: 'intents', lacks: 'facts', sql: 'ALTER TABLE intents ADD COLUMN facts TEXT' },
  // An outcome that nobody can tell ends no use any more.
  {
    table: 'freezes',
    lacks: 'tool',
    sql: `ALTER TABLE freezes ADD COLUMN tool TEXT NOT NULL DEFAULT 'email.send_email';
      UPDATE consumed SET void = 0 WHERE void = 1 AND generation = (SELECT max(generation) FROM intents i WHERE i.task_id = consumed.task_id)
        AND EXISTS (SELECT 1 FROM intents i WHERE i.task_id = consumed.task_id AND i.generation = consumed.generation AND i.state = 'unknown')`,
  },
]

const FIRST = `
  CREATE TABLE IF NOT EXISTS epoch (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO epoch VALUES (1, 0);

  CREATE TABLE IF NOT EXISTS birth (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;

  -- Restores that are known here (core/restore-epoch.ts), and the tasks that had been shown by then, approved ones among them: until
  -- they are shown anew, no decision on them counts.
  CREATE TABLE IF NOT EXISTS restores (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, backup_of INTEGER,
    told INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS before_restore (task_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  -- Their predecessors, which did not know what had been received since, or what the whole file was: all their cards
  -- are shown anew.
  DROP TABLE IF EXISTS presented;
  DROP TABLE IF EXISTS presentations;
  CREATE TABLE IF NOT EXISTS shown_cards (
    task_id TEXT PRIMARY KEY, file_name TEXT NOT NULL, folder TEXT NOT NULL, received INTEGER NOT NULL,
    generation INTEGER NOT NULL, digest TEXT NOT NULL, shown TEXT NOT NULL, at INTEGER NOT NULL,
    own_text INTEGER NOT NULL, stands INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS shown_cards_by_file ON shown_cards (file_name);

  CREATE TABLE IF NOT EXISTS draft_memories (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
    received INTEGER NOT NULL, generation INTEGER NOT NULL, drafted TEXT NOT NULL, shown TEXT NOT NULL, previous TEXT,
    answers TEXT, unanswered INTEGER NOT NULL, asked TEXT
  ) STRICT;

  CREATE TABLE IF NOT EXISTS sent_back (
    file_name TEXT PRIMARY KEY, task_id TEXT, rule TEXT NOT NULL, say TEXT NOT NULL, generation INTEGER NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE IF NOT EXISTS freezes (
    task_id TEXT PRIMARY KEY, generation INTEGER NOT NULL, file_name TEXT NOT NULL, frozen_at INTEGER NOT NULL,
    undo_until INTEGER NOT NULL, tool TEXT NOT NULL DEFAULT 'email.send_email'
  ) STRICT;

  CREATE TABLE IF NOT EXISTS intents (
    task_id TEXT NOT NULL, generation INTEGER NOT NULL, file_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intended', 'consumed', 'accepted', 'refused', 'unknown', 'done')),
    digest TEXT NOT NULL, key TEXT NOT NULL, nonce TEXT NOT NULL UNIQUE, receipt TEXT NOT NULL,
    action TEXT, answer TEXT, intended_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, epoch INTEGER NOT NULL,
    link TEXT, facts TEXT,
    PRIMARY KEY (task_id, generation)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS intents_by_state ON intents (state);
  CREATE INDEX IF NOT EXISTS intents_of_payments ON intents (intended_at) WHERE json_extract(receipt, '$.tool') = 'payment.pay';

  -- One use per receipt and per generation for ever; one per task unless that use came to nothing (void) and the person
  -- approved the task anew.
  CREATE TABLE IF NOT EXISTS consumed (
    task_id TEXT NOT NULL, generation INTEGER NOT NULL, nonce TEXT NOT NULL UNIQUE, digest TEXT NOT NULL,
    at INTEGER NOT NULL, epoch INTEGER NOT NULL, void INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (task_id, generation)
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS consumed_once ON consumed (task_id) WHERE void = 0;

  CREATE INDEX IF NOT EXISTS consumed_by_time ON consumed (at);

  CREATE TABLE IF NOT EXISTS recipients (address TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS reviews (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL, items TEXT NOT NULL
  ) STRICT;

  CREATE TABLE IF NOT EXISTS left_alone (path TEXT PRIMARY KEY, rule TEXT NOT NULL, say TEXT NOT NULL) STRICT;

  CREATE TABLE IF NOT EXISTS updates (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, agent TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL,
    UNIQUE (agent, name)
  ) STRICT;
`

/** The executor's memory of what was shown, decided and done. */
export const JOURNAL_SCHEMA: StoreSchema = {
  first(database) {
    for (const { table, lacks, sql } of BEFORE_VERSIONS)
      if (hasColumns(database, table) && !hasColumns(database, table, lacks)) database.exec(sql)
    database.exec(FIRST)
  },
  migrations: [],
}

function hasColumns(database: StoreDatabase, table: string, name?: string): boolean {
  const named = name === undefined ? '' : ` WHERE name = '${name}'`
  return database.prepare(`SELECT 1 FROM pragma_table_info('${table}')${named}`).get() !== undefined
}
