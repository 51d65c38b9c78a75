import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { ZoneHome } from './zone-home.ts'

/** The newest commit that this zone has verified. Throws ERR_USAGE when it has none. */
export function lastVerified(home: ZoneHome): Oid {
  const file = join(home.state, 'sync.sqlite')
  using store = existsSync(file) ? openSyncStore(file) : undefined
  const verified = store?.fact('verified')
  if (verified === undefined)
    throw new CountersignError('ERR_USAGE', `sync has verified nothing in ${home.state}: say --after <commit>`)
  return verified as Oid
}

/** Throws ERR_USAGE. */
export function commitId(text: string): Oid {
  if (/^[0-9a-f]{40}$/.test(text)) return text as Oid
  throw new CountersignError('ERR_USAGE', `--after ${JSON.stringify(text)}: needed is a whole commit id, 40 digits`)
}
