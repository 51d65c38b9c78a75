import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { OdooAccount } from './http.ts'
import type { OdooTransport } from './json2.ts'

/** What the guard that `countersign odoo setup` makes in Odoo says whenever it refuses. */
export const GUARD_SAYS = 'Countersign: a user who only drafts may not set '

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
 * Lets calls through only under a key whose user Odoo itself says has none of these powers, and whom its guard is seen to refuse;
 * asked before the first call, and again for another key. Throws ERR_ZONE_FORBIDDEN, naming what the key can do.
 */
export function draftsOnly(transport: OdooTransport, account: OdooAccount): OdooTransport {
  let checked: { readonly key: string; readonly harmless: Promise<void> } | undefined
  const check = () => {
    const key = account.key()
    if (checked?.key === key) return checked.harmless
    const mine = { key, harmless: assertHarmless(transport, account.url) }
    checked = mine
    mine.harmless.catch(() => {
      if (checked === mine) checked = undefined // asked again at the next call
    })
    return mine.harmless
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

async function assertHarmless(odoo: OdooTransport, url: string): Promise<void> {
  const context = (await odoo.read('res.users', 'context_get', {})) as { uid?: unknown } | null
  const userId = Number(context?.uid)
  const held: string[] = []
  // Anything but a plain no counts as a yes.
  for (const { can, isHeld } of POWERS) if ((await isHeld(odoo, userId)) !== false) held.push(can)
  if (held.length === 0 && !(await isGuarded(odoo)))
    held.push('write *posted* into a draft (no guard in Odoo refuses it; `countersign odoo setup` makes one)')
  if (held.length === 0) return
  throw new CountersignError(
    'ERR_ZONE_FORBIDDEN',
    `Odoo at ${url}: this key can ${held.join(', ')}; the cloud takes only that of a user who can draft and nothing more (docs/odoo.md)`,
  )
}

/**
 * Whether the guard refuses this user a draft with a text that would be printed on the invoice. A refused one leaves nothing; one that was not
 * is an empty draft, and is removed.
 */
export async function isGuarded(odoo: OdooTransport): Promise<boolean> {
  const probe = { move_type: 'out_invoice', narration: 'Countersign asks whether its guard is there. May be deleted.' }
  try {
    const made = await odoo.write('account.move', 'create', { vals_list: [probe] })
    const ids = made.kind === 'done' ? z.array(z.int()).safeParse(made.value).data : undefined
    if (ids !== undefined) await odoo.write('account.move', 'unlink', { ids })
    return false
  } catch (error) {
    if (isGuardsNo(error)) return true
    if (error instanceof CountersignError && error.code !== 'ERR_ODOO_UNREACHABLE') return false
    throw error
  }
}

/** Whether it is the guard that refused. */
export function isGuardsNo(error: unknown): boolean {
  return error instanceof CountersignError && error.code === 'ERR_ODOO_REFUSED' && error.message.includes(GUARD_SAYS)
}
