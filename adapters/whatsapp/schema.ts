import type { StoreSchema } from '#core/store-schema.ts'

/** The session, what came since, and what was sent. */
export const WHATSAPP_SCHEMA: StoreSchema = {
  first: `
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS changes (
    position INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, message TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS used (
    nonce TEXT PRIMARY KEY, task TEXT NOT NULL, at INTEGER NOT NULL, message TEXT UNIQUE, sent INTEGER NOT NULL DEFAULT 1
  ) STRICT, WITHOUT ROWID;`,
  migrations: [],
}
