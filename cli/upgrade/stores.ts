import { JOURNAL_SCHEMA } from '#adapters/journal/schema.ts'
import { LEDGER_SCHEMA } from '#adapters/ledger-fs/ledger-fs.ts'
import { SPEND_SCHEMA } from '#adapters/model/spend-sqlite.ts'
import { RECEIVED_SCHEMA } from '#adapters/received/received.ts'
import { SEEN_SCHEMA } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { THREADS_SCHEMA } from '#adapters/seen-sqlite/thread-memory.ts'
import { SYNC_SCHEMA } from '#adapters/sync-store/sync-store.ts'
import type { StoreSchema } from '#core/store-schema.ts'
import type { Zone } from '#core/zone-policy.ts'

/** The SQLite files of a zone's state, by their place in it, in the order in which they are migrated: the journal last. */
export type Stores = Readonly<Record<string, StoreSchema>>

const BOTH_ZONES: Stores = {
  'bounces.sqlite': SEEN_SCHEMA,
  'ledger.sqlite': LEDGER_SCHEMA,
  'received.sqlite': RECEIVED_SCHEMA,
  'spend.sqlite': SPEND_SCHEMA,
  'sync.sqlite': SYNC_SCHEMA,
  'threads.sqlite': THREADS_SCHEMA,
  'triage.sqlite': SEEN_SCHEMA,
  'whatsapp-taken.sqlite': SEEN_SCHEMA,
}

export async function storesOf(zone: Zone): Promise<Stores> {
  if (zone === 'cloud') return { ...BOTH_ZONES, 'journal.sqlite': JOURNAL_SCHEMA }
  // No code of WhatsApp's is in an image of the cloud.
  const { WHATSAPP_SCHEMA } = await import('#adapters/whatsapp/schema.ts')
  return { ...BOTH_ZONES, 'whatsapp/whatsapp.sqlite': WHATSAPP_SCHEMA, 'journal.sqlite': JOURNAL_SCHEMA }
}
