import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { json2, type OdooTransport } from '#adapters/odoo/json2.ts'
import { openOdoo } from '#adapters/odoo/open-odoo.ts'
import { proveDraftsOnly } from '#adapters/odoo/prove-drafts.ts'
import { type SetupAsked, setUpOdoo } from '#adapters/odoo/setup-odoo.ts'
import { GUARDS } from '#adapters/odoo/setup-guard.ts'
import { type BareOdoo, startBareOdoo } from '../support/real-odoo.ts'

// A real Odoo 19 (docs/odoo.md says which images), set up as `countersign odoo setup` does it, and proved as `--check` does.

const LIMIT_MS = 120_000
let odoo: BareOdoo
const keys = { cloud: '', local: '' }
const as = (key: string): OdooTransport => json2({ url: odoo.url, database: odoo.database, key: () => key, limitMs: LIMIT_MS })
const admin = () => as(odoo.adminKey)
const asked = (more: Partial<SetupAsked> = {}): SetupAsked => ({
  ...{ isDry: false, areKeysNew: false, isAuditLeft: false },
  async writeKey(user, key) {
    keys[user] = key
  },
  ...more,
})
const failed = (findings: Awaited<ReturnType<typeof proveDraftsOnly>>) =>
  findings.filter(({ result }) => result !== 'ok').map(({ check, found }) => `${check}: ${found}`)

/** Dies after so many calls that change something: what it had asked for was done, and nobody heard of it. */
function dyingAfter(transport: OdooTransport, writes: number): OdooTransport {
  let left = writes
  return {
    read: transport.read,
    async write(...call) {
      if (left <= 0) throw new Error('killed')
      left -= 1
      const answer = await transport.write(...call)
      if (left === 0) throw new Error('killed')
      return answer
    },
  }
}

beforeAll(async () => {
  odoo = await startBareOdoo()
}, 240_000)
afterAll(() => odoo?.[Symbol.asyncDispose]())

describe('odoo setup', () => {
  test('says in a dry run what it would do, and does nothing', async () => {
    const steps = await setUpOdoo(admin(), asked({ isDry: true, writeKey: () => Promise.reject(new Error('no')) }))
    expect(steps.length).toBeGreaterThan(30)
    expect(steps.filter(({ did }) => !did.startsWith('would'))).toEqual([])
    const groups = await admin().read('res.groups', 'search_count', { domain: [['name', 'like', 'Countersign']] })
    expect(groups).toBe(0)
  }, 60_000)

  test('needs an administrator', async () => {
    await expect(setUpOdoo(as('0'.repeat(40)), asked())).rejects.toMatchObject({ code: 'ERR_ODOO_AUTH' })
    await expect(setUpOdoo(as(odoo.clerkKey), asked())).rejects.toMatchObject({
      code: 'ERR_ODOO_AUTH',
      message: expect.stringContaining('no administrator'),
    })
  })

  test('killed again and again, goes on where it stopped, and ends with everything once', async () => {
    let runs = 0
    for (let isDone = false; !isDone; runs += 1) {
      expect(runs).toBeLessThan(40)
      isDone = await setUpOdoo(dyingAfter(admin(), 6), asked()).then(
        () => true,
        (error: Error) => {
          expect(error.message).toBe('killed')
          return false
        },
      )
    }
    expect(runs).toBeGreaterThan(5)
    const again = await setUpOdoo(admin(), asked({ writeKey: () => Promise.reject(new Error('no')) }))
    expect(again.filter(({ did }) => did !== 'kept')).toEqual([])
    const left = await admin().read('ir.actions.server', 'search_count', { domain: [['name', 'like', 'may be removed']] })
    expect(left).toBe(0)
  }, 180_000)

  test('its proofs hold: the cloud can draft, and nothing else; five requests at once leave one draft', async () => {
    expect(failed(await proveDraftsOnly(as(keys.cloud), as(keys.local)))).toEqual(['cannot change posted invoices: there are none to try it on'])
    const drafts = await admin().read('account.move', 'search_count', { domain: [] })
    expect(drafts).toBe(0)
  }, 60_000)
})

describe('the local zone’s user', () => {
  test('posts and records payments, also on a draft of the cloud; does not administer, and the cloud cannot touch what is posted', async () => {
    const [cloud, local] = [as(keys.cloud), as(keys.local)]
    const id = await draftOf(cloud)
    await local.write('account.move', 'action_post', { ids: [id] })
    const wizard = (await done(
      local.write('account.payment.register', 'create', {
        ...{ vals_list: [{ communication: 'x' }], context: { active_model: 'account.move', active_ids: [id] } },
      }),
    )) as number[]
    await local.write('account.payment.register', 'action_create_payments', { ids: wizard })
    const [paid] = (await cloud.read('account.move', 'read', { ids: [id], fields: ['state', 'payment_state'] })) as object[]
    expect(paid).toMatchObject({ state: 'posted', payment_state: 'paid' })
    for (const [model, method, args] of [
      ['res.users', 'create', { vals_list: [{ name: 'x', login: 'x' }] }],
      ['ir.rule', 'write', { ids: [1], vals: { active: true } }],
      ['ir.actions.server', 'create', { vals_list: [{ name: 'x' }] }],
    ] as const)
      await expect(local.write(model, method, args)).rejects.toMatchObject({ code: 'ERR_ODOO_AUTH' })
    expect(failed(await proveDraftsOnly(cloud, local))).toEqual([])
    await expect(local.write('account.move', 'button_draft', { ids: [id] })).rejects.toThrow(/locked|secure|hash/i)
  }, 60_000)
})

describe('without the guard', () => {
  const guard = async (name: string) =>
    ((await admin().read('base.automation', 'search', { domain: [['name', '=', name]], context: { active_test: false } })) as number[])[0]
  const books = () => openOdoo({ url: odoo.url, database: odoo.database, key: () => keys.cloud }, 'cloud')

  test('the cloud does not start, the proof fails, nothing is posted by it, and setup puts the guard back', async () => {
    const [move] = GUARDS
    const ids = [await guard(move?.name ?? '')]
    await admin().write('base.automation', 'write', { ids, vals: { active: false } })
    await expect(books().getData({ about: 'taxes', limit: 1 })).rejects.toMatchObject({
      code: 'ERR_ZONE_FORBIDDEN',
      message: expect.stringContaining('no guard in Odoo refuses it'),
    })
    const before = await posted()
    expect(failed(await proveDraftsOnly(as(keys.cloud)))).toEqual([
      expect.stringMatching(/^cannot write state, auto_post, payment_state, name: no guard/),
    ])
    expect(await posted()).toBe(before)
    const steps = await setUpOdoo(admin(), asked())
    expect(steps.filter(({ did }) => did !== 'kept')).toEqual([
      { what: 'guard of account.move', did: 'changed', fields: ['active'] },
    ])
    expect(await books().getData({ about: 'taxes', limit: 1 })).toHaveLength(1)
  }, 60_000)

  test.each([
    ["if move.state != 'draft'", 'if False', 'write state'],
    ["if move.auto_post != 'no'", 'if False', 'write auto_post'],
    ["if move.payment_state != 'not_paid'", 'if False', 'write payment_state'],
    ["if move.name and move.name != '/'", 'if False', 'create a draft with a number'],
  ])('of which %s is gone, the proof fails', async (line, instead, check) => {
    const [move] = GUARDS
    const [action] = (await admin().read('ir.actions.server', 'search', { domain: [['name', '=', move?.name]] })) as number[]
    const code = move?.code.replace(line, instead)
    expect(code).not.toBe(move?.code)
    await admin().write('ir.actions.server', 'write', { ids: [action], vals: { code } })
    expect(failed(await proveDraftsOnly(as(keys.cloud))).join('\n')).toContain(check)
    await setUpOdoo(admin(), asked())
  }, 60_000)

  const posted = () => admin().read('account.move', 'search_count', { domain: [['state', '=', 'posted']] })
})

async function draftOf(odooOfCloud: OdooTransport): Promise<number> {
  const [partner] = (await done(odooOfCloud.write('res.partner', 'create', { vals_list: [{ name: 'Acme Ltd' }] }))) as number[]
  const line = { name: 'Work', quantity: 1, price_unit: 100, tax_ids: [[6, 0, []]] }
  const values = { move_type: 'out_invoice', partner_id: partner, invoice_line_ids: [[0, 0, line]] }
  const [id] = (await done(odooOfCloud.write('account.move', 'create', { vals_list: [values] }))) as number[]
  return id ?? 0
}

async function done(writing: ReturnType<OdooTransport['write']>): Promise<unknown> {
  const answer = await writing
  if (answer.kind === 'done') return answer.value
  throw new Error(answer.reason)
}
