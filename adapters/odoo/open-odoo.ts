import type { Accounting } from '#core/ports/accounting.ts'
import type { Zone } from '#core/zone-policy.ts'
import { draftsOnly } from './drafts-only.ts'
import type { OdooAccount } from './http.ts'
import { json2 } from './json2.ts'
import { odooAccounting } from './odoo-accounting.ts'

/** The books of an Odoo 19 or later. Nothing is asked before the first call. The cloud works under a harmless key alone. */
export function openOdoo(account: OdooAccount, zone: Zone): Accounting {
  const transport = json2(account)
  return odooAccounting(zone === 'cloud' ? draftsOnly(transport, account) : transport)
}
