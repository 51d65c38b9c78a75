import type { Accounting } from '#core/ports/accounting.ts'
import type { OdooAccount } from './http.ts'
import { json2 } from './json2.ts'
import { odooAccounting } from './odoo-accounting.ts'

/** The books of an Odoo 19 or later. Nothing is asked before the first call. */
export function openOdoo(account: OdooAccount): Accounting {
  return odooAccounting(json2(account))
}
