import { CountersignError } from '#core/errors.ts'
import type { ConfigOf } from './config.ts'
import type { odooSettings } from './settings.ts'

/** What adapters/odoo opens the books with; the key is read again at each call. */
export function odooAccountOf({ odooUrl, odooDb, odooKey }: ConfigOf<typeof odooSettings>) {
  return {
    ...{ url: odooUrl, database: odooDb },
    key(): string {
      try {
        return odooKey.read()
      } catch (cause) {
        throw new CountersignError('ERR_ODOO_AUTH', (cause as Error).message, { cause })
      }
    },
  }
}
