import { CountersignError } from '#core/errors.ts'
import type { OdooCalls } from './calls.ts'
import type { OdooAccount } from './http.ts'

/** Since this version a record is asked whether it may be accessed; before, its model was. */
const FIRST_WITH_HAS_ACCESS = 18

/** What a key of the cloud must not be able to do, and how Odoo is asked whether it can. */
const POWERS: readonly { readonly can: string; readonly isHeld: (calls: OdooCalls) => Promise<unknown> }[] = [
  {
    can: 'post invoices',
    async isHeld(odoo) {
      const ids = (await odoo.version()) < FIRST_WITH_HAS_ACCESS ? {} : { ids: [await odoo.userId()] }
      return odoo.read('res.users', 'has_group', { ...ids, args: { group_ext_id: 'account.group_account_invoice' } })
    },
  },
  { can: 'record payments', isHeld: (odoo) => mayAccess(odoo, 'account.payment', 'create') },
  { can: 'read bank accounts', isHeld: (odoo) => mayAccess(odoo, 'res.partner.bank', 'read') },
]

/**
 * Lets calls through only under a key whose user Odoo itself says has none of these powers; asked before the first call, and
 * again for another key. Throws ERR_ZONE_FORBIDDEN, naming what the key can do.
 */
export function draftsOnly(calls: OdooCalls, account: OdooAccount): OdooCalls {
  let harmless: string | undefined
  const check = async () => {
    const key = account.key()
    if (key === harmless) return
    const held: string[] = []
    // Anything but a plain no counts as a yes.
    for (const { can, isHeld } of POWERS) if ((await isHeld(calls)) !== false) held.push(can)
    if (held.length > 0)
      throw new CountersignError(
        'ERR_ZONE_FORBIDDEN',
        `Odoo at ${account.url}: this key can ${held.join(', ')}; the cloud takes only that of a user who can draft and nothing more (docs/odoo.md)`,
      )
    harmless = key
  }
  return {
    ...calls,
    read: async (...call) => {
      await check()
      return calls.read(...call)
    },
    write: async (...call) => {
      await check()
      return calls.write(...call)
    },
  }
}

async function mayAccess(odoo: OdooCalls, model: string, operation: string): Promise<unknown> {
  if ((await odoo.version()) < FIRST_WITH_HAS_ACCESS)
    return odoo.read(model, 'check_access_rights', { args: { operation, raise_exception: false } })
  return odoo.read(model, 'has_access', { ids: [], args: { operation } })
}
