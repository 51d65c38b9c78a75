import type { ActingBooks } from '#core/ports/accounting.ts'
import type { OdooAccount } from '../http.ts'
import { odooCalls } from '../odoo-calls.ts'
import { actingBooks } from './acting-books.ts'

/** The books of an Odoo, to act on. Nothing is asked before the first call. */
export function openActingBooks(account: OdooAccount): ActingBooks {
  return actingBooks(odooCalls(account), account.url)
}
