import type { Accounting } from '#core/ports/accounting.ts'
import type { Zone } from '#core/zone-policy.ts'
import { draftsOnly } from './drafts-only.ts'
import type { OdooAccount } from './http.ts'
import { odooAccounting } from './odoo-accounting.ts'
import { odooCalls } from './odoo-calls.ts'

/** The books of an Odoo. Nothing is asked before the first call. The cloud works under a harmless key alone. */
export function openOdoo(account: OdooAccount, zone: Zone): Accounting {
  const calls = odooCalls(account)
  return odooAccounting(zone === 'cloud' ? draftsOnly(calls, account) : calls, account.url)
}
