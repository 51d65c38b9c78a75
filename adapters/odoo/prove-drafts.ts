import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { OdooCalls } from './calls.ts'
import { isGuarded, isGuardsNo } from './drafts-only.ts'
import { type FlatCalls, flatCalls } from './flat-calls.ts'
import { rightsToTry } from './proved-rights.ts'

/** What is written on the drafts made here: a run that died leaves them, the next one removes them. */
const MARK = 'Countersign: a proof, may be deleted'
const SET_UP = 'Run `countersign odoo setup`; until then take the key away from the cloud.'

type Args = Readonly<Record<string, unknown>>
const ids = z.array(z.looseObject({ id: z.int().positive() }))
const made = z.array(z.int().positive())

/**
 * Tries on the live server, under the cloud's own key, what its user must be able to do and what it must not. Everything is tried on drafts that are made here and
 * removed again; what would happen for real where the guard is missing is only tried once the guard was seen at work. `other`: someone
 * else's key (the local zone's), to leave a draft that is not the cloud's; without it one that is there serves. Never throws.
 */
export async function proveDraftsOnly(cloud: OdooCalls, other?: OdooCalls): Promise<Finding[]> {
  const proof = startProof(flatCalls(cloud))
  try {
    await proveAbilities(proof)
    await proveGuard(proof, await isGuarded(cloud))
    await proveRights(proof)
    await proveOthers(proof, other && flatCalls(other))
  } catch (error) {
    proof.add('the proof', 'failed', `it could not be finished: ${say(error)}`)
  }
  await proof.removeDrafts()
  return proof.findings
}

interface Proof {
  readonly findings: Finding[]
  readonly odoo: FlatCalls
  readonly drafts: Set<number>
  add(check: string, result: Finding['result'], found: string): void
  /** Good when Odoo does it. */
  can<T>(check: string, act: () => Promise<T>): Promise<T>
  /** Good when Odoo's rights or the guard refuse it; any other answer is no proof. */
  cannot(check: string, model: string, method: string, args: Args): Promise<void>
  create(values: Args): Promise<number>
  removeDrafts(): Promise<void>
}

function startProof(odoo: FlatCalls): Proof {
  const findings: Finding[] = []
  const drafts = new Set<number>()
  const add: Proof['add'] = (check, result, found) =>
    void findings.push({ check, result, found, ...(result === 'failed' && { hint: SET_UP }) })
  return {
    ...{ findings, odoo, drafts, add },
    async can(check, act) {
      try {
        const value = await act()
        add(`can ${check}`, 'ok', 'it does')
        return value
      } catch (error) {
        add(`can ${check}`, 'failed', say(error))
        throw error
      }
    },
    async cannot(check, model, method, args) {
      try {
        const answer = await odoo.write(model, method, args)
        const value = answer.kind === 'done' ? made.safeParse(answer.value).data : undefined
        if (method === 'create' && model === 'account.move') for (const id of value ?? []) drafts.add(id)
        const found = answer.kind === 'done' ? `Odoo let it: ${model}.${method}` : `no answer: ${answer.reason}`
        add(`cannot ${check}`, 'failed', found)
      } catch (error) {
        const isNo = isRightsNo(error) || isGuardsNo(error)
        const found = isNo
          ? isGuardsNo(error)
            ? 'the guard refuses it'
            : 'it has no right to'
          : `no proof: ${say(error)}`
        add(`cannot ${check}`, isNo ? 'ok' : 'failed', found)
      }
    },
    async create(values) {
      const answer = await odoo.write('account.move', 'create', { vals_list: [values] })
      if (answer.kind === 'unknown') throw new CountersignError('ERR_ODOO_UNREACHABLE', answer.reason)
      const [id = 0] = made.parse(answer.value)
      drafts.add(id)
      return id
    },
    async removeDrafts() {
      for (const id of drafts)
        await odoo
          .write('account.move', 'unlink', { ids: [id] })
          .catch((error) =>
            add(
              'what was made for the proof',
              'failed',
              `invoice ${id} is still there, delete it by hand: ${say(error)}`,
            ),
          )
    },
  }
}

async function proveAbilities(proof: Proof): Promise<void> {
  const { odoo, can } = proof
  const look = (model: string, domain: readonly unknown[]) => async () =>
    ids.parse(await odoo.read(model, 'search_read', { domain, fields: ['display_name'], limit: 1 }))
  await can('find customers', look('res.partner', []))
  await can('find sales taxes', look('account.tax', [['type_tax_use', '=', 'sale']]))
  await can('find currencies', look('res.currency', []))
  const left = await odoo.read('account.move', 'search_read', {
    ...{
      domain: [
        ['ref', '=', MARK],
        ['state', '=', 'draft'],
        ['move_type', '=', 'out_invoice'],
      ],
      fields: ['ref'],
    },
  })
  for (const { id } of ids.parse(left)) proof.drafts.add(id)
  const values = await draftValues(odoo)
  const id = await can('leave a draft', () => proof.create(values))
  await can('read it', async () => {
    const [draft] = z
      .array(z.looseObject({ state: z.literal('draft'), amount_total: z.number().positive() }))
      .length(1)
      .parse(await odoo.read('account.move', 'read', { ids: [id], fields: ['state', 'amount_total'] }))
    return draft
  })
  const request = { ...values, x_cloud_request_id: `proof-${randomUUID()}` }
  await can('leave one draft for five requests at once under one request id', async () => {
    const five = await Promise.allSettled([1, 2, 3, 4, 5].map(() => proof.create(request)))
    const domain = [['x_cloud_request_id', '=', request.x_cloud_request_id]]
    const found = ids.parse(await odoo.read('account.move', 'search_read', { domain, fields: ['ref'] }))
    const refused = five.find((one) => one.status === 'rejected')
    if (found.length !== 1)
      throw new Error(`there were ${found.length}: ${refused ? say(refused.reason) : 'none refused'}`)
  })
  await can('delete it', async () => {
    const answer = await odoo.write('account.move', 'unlink', { ids: [id] })
    if (answer.kind === 'unknown') throw new Error(answer.reason)
    proof.drafts.delete(id)
  })
}

/** One unit of money to the company itself, which is a customer that every cloud user can see. */
async function draftValues(odoo: FlatCalls): Promise<Args> {
  const company = z.array(z.looseObject({ partner_id: z.tuple([z.int(), z.string()]) }))
  const [own] = company.parse(
    await odoo.read('res.company', 'search_read', { domain: [], fields: ['partner_id'], limit: 1, order: 'id' }),
  )
  return {
    ...{ move_type: 'out_invoice', ref: MARK, partner_id: own?.partner_id[0] },
    invoice_line_ids: [[0, 0, { name: MARK, quantity: 1, price_unit: 1, tax_ids: [[6, 0, []]] }]],
  }
}

async function proveGuard(proof: Proof, isGuardThere: boolean): Promise<void> {
  const { odoo, cannot, add } = proof
  const values = await draftValues(odoo)
  const id = await proof.create(values)
  const line = z.array(z.looseObject({ line_ids: z.array(z.int()) }))
  const [draft] = line.parse(await odoo.read('account.move', 'read', { ids: [id], fields: ['line_ids'] }))
  const write = (what: string, vals: Args) => cannot(`write ${what}`, 'account.move', 'write', { ids: [id], vals })
  if (!isGuardThere) {
    add(
      'cannot write state, auto_post, payment_state, name',
      'failed',
      'no guard in Odoo refuses it; not tried further, since it would happen',
    )
    return
  }
  await write('narration', { narration: 'pay elsewhere' })
  await write('payment_state', { payment_state: 'paid' })
  await write('auto_post', { auto_post: 'at_date' })
  await write('name', { name: 'COUNTERSIGN/PROOF/1' })
  await write('sending_data, by which Odoo would mail it once it is posted', { sending_data: { sp_partner_id: 1 } })
  await write('move_type', { move_type: 'out_refund' })
  await write('posted_before', { posted_before: true })
  await write('state', { state: 'posted' })
  await write('state through its lines', {
    invoice_line_ids: [[1, draft?.line_ids[0] ?? 0, { parent_state: 'posted' }]],
  })
  await cannot('save state, as the web client does', 'account.move', 'web_save', {
    ...{ ids: [id], vals: { state: 'posted' }, specification: { state: {} } },
  })
  await cannot('write parent_state of a line', 'account.move.line', 'write', {
    ...{ ids: draft?.line_ids.slice(0, 1), vals: { parent_state: 'posted' } },
  })
  const create = (what: string, more: Args) =>
    cannot(`create ${what}`, 'account.move', 'create', { vals_list: [{ ...values, ...more }] })
  await create('a draft that posts itself', { auto_post: 'at_date' })
  await create('a draft with a number', { name: 'COUNTERSIGN/PROOF/2' })
  await create('a credit note', { move_type: 'out_refund' })
}

/** Rights that nobody in this group has. Odoo is asked first, and where it says that the user may, nothing is tried. */
async function proveRights(proof: Proof): Promise<void> {
  const { odoo, add, cannot } = proof
  const uid = await odoo.userId()
  const id = [...proof.drafts].at(-1) ?? 0
  for (const [check, model, operation, method, args] of rightsToTry(uid, id)) {
    const has = await odoo
      .read(model, 'has_access', { ids: [], operation })
      .catch((error) => isRightsNo(error) !== true)
    if (has === false) await cannot(check, model, method, args)
    else add(`cannot ${check}`, 'failed', `its user has the right to ${operation} ${model}; not tried`)
  }
  const group = { ids: [uid], group_ext_id: 'account.group_account_invoice' }
  if ((await odoo.read('res.users', 'has_group', group)) !== false)
    add('cannot post', 'failed', 'its user is in the group Invoicing; not tried')
  else {
    await cannot('post', 'account.move', 'action_post', { ids: [id] })
    await cannot('cancel', 'account.move', 'button_cancel', { ids: [id] })
    await cannot('write in its draft’s chatter, which mails followers', 'account.move', 'message_post', {
      ...{ ids: [id], body: 'x' },
    })
  }
  for (const [check, model, domain] of [
    ['see bank journals', 'account.journal', [['type', '!=', 'sale']]],
    ['see vendors’ bills', 'account.move', [['move_type', '!=', 'out_invoice']]],
    ['see files of invoices', 'ir.attachment', [['res_model', '=', 'account.move']]],
  ] as const) {
    const found = await odoo.read(model, 'search_count', { domain }).catch((error) => {
      if (isRightsNo(error)) return 0
      throw error
    })
    if (found === 0) add(`cannot ${check}`, 'ok', 'it finds none')
    else add(`cannot ${check}`, 'failed', `it finds ${String(found)}`)
  }
}

/** What is not the cloud's is written back as it is, so that nothing changes where it could be. */
async function proveOthers(proof: Proof, other: FlatCalls | undefined): Promise<void> {
  const { odoo, cannot, add } = proof
  const uid = await odoo.userId()
  const refs = z.array(z.looseObject({ id: z.int(), ref: z.union([z.string(), z.literal(false)]) }))
  const leave = async () => {
    const answer = await other?.write('account.move', 'create', { vals_list: [await draftValues(odoo)] })
    return answer?.kind === 'done' ? made.parse(answer.value)[0] : undefined
  }
  const foreign = await leave()
  try {
    for (const [what, domain] of [
      [
        'others’ drafts',
        [['state', '=', 'draft'], ...(foreign ? [['id', '=', foreign]] : [['create_uid', '!=', uid]])],
      ],
      ['posted invoices', [['state', '=', 'posted']]],
    ] as const) {
      const args = { domain: [['move_type', '=', 'out_invoice'], ...domain], fields: ['ref'], limit: 1 }
      const [one] = refs.parse(await odoo.read('account.move', 'search_read', args))
      if (!one) add(`cannot change ${what}`, 'skipped', 'there are none to try it on')
      else await cannot(`change ${what}`, 'account.move', 'write', { ids: [one.id], vals: { ref: one.ref } })
    }
    if (foreign !== undefined) await cannot('delete others’ drafts', 'account.move', 'unlink', { ids: [foreign] })
  } finally {
    if (foreign !== undefined)
      await other
        ?.write('account.move', 'unlink', { ids: [foreign] })
        .catch((error) =>
          add(
            'what was made for the proof',
            'failed',
            `invoice ${foreign} is still there, delete it by hand: ${say(error)}`,
          ),
        )
  }
}

/** Odoo said that this user may not: no fault of the request, and no key that it does not know. */
function isRightsNo(error: unknown): boolean {
  return error instanceof CountersignError && error.code === 'ERR_ODOO_AUTH' && error.details.status !== 401
}

function say(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}
