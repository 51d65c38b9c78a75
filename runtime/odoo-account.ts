import { CountersignError } from '#core/errors.ts'
import type { ConfigOf } from './config.ts'
import type { odooSettings } from './settings.ts'

type OdooConfig = ConfigOf<typeof odooSettings>

/** Whether books are set up. Throws ERR_CONFIG_INVALID where only some of their settings are. */
export function hasOdoo<C extends { readonly [K in keyof OdooConfig]: OdooConfig[K] | undefined }>(
  config: C,
): config is C & OdooConfig {
  if (config.odooUrl === undefined) return false
  if (config.odooDb !== undefined && config.odooKey !== undefined) return true
  throw new CountersignError(
    'ERR_CONFIG_INVALID',
    'COUNTERSIGN_ODOO_URL is set: COUNTERSIGN_ODOO_DB and a key in COUNTERSIGN_ODOO_KEY_FILE are needed with it',
  )
}

/** What adapters/odoo opens the books with; the key is read again at each call. */
export function odooAccountOf({ odooUrl, odooDb, odooKey, odooLogin }: OdooConfig) {
  return {
    ...{ url: odooUrl, database: odooDb, login: odooLogin },
    key(): string {
      try {
        return odooKey.read()
      } catch (cause) {
        throw new CountersignError('ERR_ODOO_AUTH', (cause as Error).message, { cause })
      }
    },
  }
}
