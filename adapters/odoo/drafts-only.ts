import { CountersignError } from '#core/errors.ts'
import type { OdooAccount } from './http.ts'
import type { OdooTransport } from './json2.ts'

/** What a key of the cloud must not be able to do, and how Odoo is asked whether it can. */
const POWERS: readonly {
  readonly can: string
  readonly isHeld: (transport: OdooTransport, userId: number) => Promise<unknown>
}[] = [
  {
    can: 'post invoices',
    isHeld: (odoo, userId) =>
      odoo.read('res.users', 'has_group', { ids: [userId], group_ext_id: 'account.group_account_invoice' }),
  },
  {
    can: 'record payments',
    isHeld: (odoo) => odoo.read('account.payment', 'has_access', { ids: [], operation: 'create' }),
  },
  {
    can: 'read bank accounts',
    isHeld: (odoo) => odoo.read('res.partner.bank', 'has_access', { ids: [], operation: 'read' }),
  },
]

/**
 * Lets calls through only under a key whose user Odoo itself says has none of these powers; asked before the first call, and
 * again for another key. Throws ERR_ZONE_FORBIDDEN, naming what the key can do.
 */
export function draftsOnly(transport: OdooTransport, account: OdooAccount): OdooTransport {
  let harmless: string | undefined
  const check = async () => {
    const key = account.key()
    if (key === harmless) return
    const context = (await transport.read('res.users', 'context_get', {})) as { uid?: unknown } | null
    const userId = Number(context?.uid)
    const held: string[] = []
    // Anything but a plain no counts as a yes.
    for (const { can, isHeld } of POWERS) if ((await isHeld(transport, userId)) !== false) held.push(can)
    if (held.length > 0)
      throw new CountersignError(
        'ERR_ZONE_FORBIDDEN',
        `Odoo at ${account.url}: this key can ${held.join(', ')}; the cloud takes only that of a user who can draft and nothing more (docs/odoo.md)`,
      )
    harmless = key
  }
  return {
    read: async (...call) => {
      await check()
      return transport.read(...call)
    },
    write: async (...call) => {
      await check()
      return transport.write(...call)
    },
  }
}
