import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { OdooCalls } from './calls.ts'
import type { OdooAccount } from './http.ts'

/** Since this version a record is asked whether it may be accessed; before, its model was. */
const FIRST_WITH_HAS_ACCESS = 18

/** What the guard that `countersign odoo setup` makes in Odoo says whenever it refuses. */
export const GUARD_SAYS = 'Countersign: a user who only drafts may not set '

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
 * Lets calls through only under a key whose user Odoo itself says has none of these powers, and whom its guard is seen to refuse;
 * asked before the first call, and again for another key. Throws ERR_ZONE_FORBIDDEN, naming what the key can do.
 */
export function draftsOnly(calls: OdooCalls, account: OdooAccount): OdooCalls {
  let checked: { readonly key: string; readonly harmless: Promise<void> } | undefined
  const check = () => {
    const key = account.key()
    if (checked?.key === key) return checked.harmless
    const mine = { key, harmless: assertHarmless(calls, account.url) }
    checked = mine
    mine.harmless.catch(() => {
      if (checked === mine) checked = undefined // asked again at the next call
    })
    return mine.harmless
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

async function assertHarmless(odoo: OdooCalls, url: string): Promise<void> {
  const held: string[] = []
  // Anything but a plain no counts as a yes.
  for (const { can, isHeld } of POWERS) if ((await isHeld(odoo)) !== false) held.push(can)
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
export async function isGuarded(odoo: OdooCalls): Promise<boolean> {
  const probe = { move_type: 'out_invoice', narration: 'Countersign asks whether its guard is there. May be deleted.' }
  try {
    const made = await odoo.write('account.move', 'create', { args: { vals_list: [probe] } })
    if (made.kind === 'unknown') throw new CountersignError('ERR_ODOO_UNREACHABLE', `Odoo: ${made.reason}`)
    const ids = z.array(z.int()).safeParse(made.value).data
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

async function mayAccess(odoo: OdooCalls, model: string, operation: string): Promise<unknown> {
  if ((await odoo.version()) < FIRST_WITH_HAS_ACCESS)
    return odoo.read(model, 'check_access_rights', { args: { operation, raise_exception: false } })
  return odoo.read(model, 'has_access', { ids: [], args: { operation } })
}
