import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OdooCalls } from '#adapters/odoo/calls.ts'
import { type FlatCalls, flatCalls } from '#adapters/odoo/flat-calls.ts'
import { odooCalls } from '#adapters/odoo/odoo-calls.ts'
import { openOdoo } from '#adapters/odoo/open-odoo.ts'
import { proveBooks } from '#adapters/odoo/prove-cloud.ts'
import { proveDraftsOnly } from '#adapters/odoo/prove-drafts.ts'
import { GUARDS } from '#adapters/odoo/setup-guard.ts'
import { type SetupAsked, setUpOdoo } from '#adapters/odoo/setup-odoo.ts'
import { type BareOdoo, startBareOdoo } from '../support/real-odoo.ts'

// A real Odoo 19 (docs/odoo.md says which images), set up as `countersign odoo setup` does it, and proved as `--check` does.

const LIMIT_MS = 120_000
let odoo: BareOdoo
const keys = { cloud: '', local: '' }
const as = (key: string): OdooCalls =>
  odooCalls({ url: odoo.url, database: odoo.database, key: () => key, limitMs: LIMIT_MS })
const adminCalls = () => as(odoo.adminKey)
const admin = () => flatCalls(adminCalls())
const asked = (more: Partial<SetupAsked> = {}): SetupAsked => ({
  ...{ isDry: false, areKeysNew: false, isAuditLeft: false },
  async writeKey(user, key) {
    keys[user] = key
  },
  ...more,
})
const failed = (findings: Awaited<ReturnType<typeof proveDraftsOnly>>) =>
  findings.filter(({ result }) => result === 'failed').map(({ check, found }) => `${check}: ${found}`)

/** Dies after so many calls that change something: what it had asked for was done, and nobody heard of it. */
function dyingAfter(calls: OdooCalls, writes: number): OdooCalls {
  let left = writes
  return {
    ...calls,
    async write(...call) {
      if (left <= 0) throw new Error('killed')
      left -= 1
      const answer = await calls.write(...call)
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
    const steps = await setUpOdoo(adminCalls(), asked({ isDry: true, writeKey: () => Promise.reject(new Error('no')) }))
    expect(steps.length).toBeGreaterThan(30)
    expect(steps.filter(({ did }) => !did.startsWith('would'))).toEqual([])
    const groups = await admin().read('res.groups', 'search_count', { domain: [['name', 'like', 'Countersign']] })
    expect(groups).toBe(0)
  }, 120_000)

  test('needs an administrator', async () => {
    await expect(setUpOdoo(as('0'.repeat(40)), asked())).rejects.toMatchObject({ code: 'ERR_ODOO_AUTH' })
    await expect(setUpOdoo(as(odoo.clerkKey), asked())).rejects.toMatchObject({
      code: 'ERR_ODOO_AUTH',
      message: expect.stringContaining('no administrator'),
    })
  })

  test('killed at any step, goes on where it stopped, and ends with everything once', async () => {
    // In turn: the module, the group, the rights, the guards and users, an index asked for and one made, a key that nobody got, a key that was written down.
    for (const writes of [2, 25, 14, 5, 7, 5, 8]) {
      const run = setUpOdoo(dyingAfter(adminCalls(), writes), asked())
      await expect(run, `after ${writes} more`).rejects.toThrow('killed')
    }
    await setUpOdoo(adminCalls(), asked())
    const again = await setUpOdoo(adminCalls(), asked({ writeKey: () => Promise.reject(new Error('no')) }))
    expect(again.filter(({ did }) => did !== 'kept')).toEqual([])
    const left = await admin().read('ir.actions.server', 'search_count', {
      domain: [['name', 'like', 'may be removed']],
    })
    expect(left).toBe(0)
  }, 240_000)
})

describe('the local zone’s user', () => {
  test('posts and records payments, also on a draft of the cloud; does not administer, and the cloud cannot touch what is posted', async () => {
    const [cloud, local] = [flatCalls(as(keys.cloud)), flatCalls(as(keys.local))]
    const id = await draftOf(cloud)
    await local.write('account.move', 'action_post', { ids: [id] })
    const wizard = (await done(
      local.write('account.payment.register', 'create', {
        ...{ vals_list: [{ communication: 'x' }], context: { active_model: 'account.move', active_ids: [id] } },
      }),
    )) as number[]
    await local.write('account.payment.register', 'action_create_payments', { ids: wizard })
    const [paid] = (await cloud.read('account.move', 'read', {
      ids: [id],
      fields: ['state', 'payment_state'],
    })) as object[]
    expect(paid).toMatchObject({ state: 'posted', payment_state: 'paid' })
    for (const [model, method, args] of [
      ['res.users', 'create', { vals_list: [{ name: 'x', login: 'x' }] }],
      ['ir.rule', 'write', { ids: [1], vals: { active: true } }],
      ['ir.actions.server', 'create', { vals_list: [{ name: 'x' }] }],
    ] as const)
      await expect(local.write(model, method, args)).rejects.toMatchObject({ code: 'ERR_ODOO_AUTH' })
    await expect(local.write('account.move', 'button_draft', { ids: [id] })).rejects.toThrow(/locked|secure|hash/i)
  }, 120_000)
})

describe('its proofs', () => {
  test('hold: the cloud can draft, and nothing else; five requests at once leave one draft; nothing of it stays', async () => {
    const findings = await proveDraftsOnly(as(keys.cloud), as(keys.local))
    expect(failed(findings)).toEqual([])
    expect(findings.length).toBeGreaterThan(40)
    expect(new Set(findings.map(({ result }) => result))).toEqual(new Set(['ok']))
    expect(await admin().read('account.move', 'search_count', { domain: [['state', '=', 'draft']] })).toBe(0)
  }, 120_000)
})

describe('`countersign prove`', () => {
  const account = (key: string) => ({ url: odoo.url, database: odoo.database, key: () => key })

  test('says in one line that the cloud’s key is refused everything but drafts', async () => {
    expect(await proveBooks(account(keys.cloud))).toEqual([
      {
        ...{ check: 'Odoo refuses the cloud’s key everything but drafts', result: 'ok' },
        found: expect.stringMatching(/^\d\d things were tried with it, .*; each was refused$/),
      },
    ])
  }, 120_000)

  test('finds a key out whose user can post and pay, and posts nothing by it', async () => {
    const posted = () => admin().read('account.move', 'search_count', { domain: [['state', '=', 'posted']] })
    const before = await posted()
    const found = await proveBooks(account(keys.local))
    expect(found.filter(({ result }) => result !== 'failed')).toEqual([])
    expect(found.map(({ check }) => check).join('\n')).toMatch(/Odoo: the cloud’s key cannot .*post/)
    expect(await posted()).toBe(before)
  }, 120_000)

  test('does not call a key sound when Odoo does not answer', async () => {
    const gone = { ...account(keys.cloud), url: 'http://127.0.0.1:9' }
    expect(await proveBooks(gone)).toMatchObject([{ result: 'skipped' }])
  })
})

describe('without the guard', () => {
  const guard = async (name: string) =>
    (
      (await admin().read('base.automation', 'search', {
        domain: [['name', '=', name]],
        context: { active_test: false },
      })) as number[]
    )[0]
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
    const steps = await setUpOdoo(adminCalls(), asked())
    expect(steps.filter(({ did }) => did !== 'kept')).toEqual([
      { what: 'guard of account.move', did: 'changed', fields: ['active'] },
    ])
    expect(await books().getData({ about: 'taxes', limit: 1 })).toHaveLength(1)
  }, 120_000)

  test('of which a line is gone, the proof of that line fails', async () => {
    const [move] = GUARDS
    const domain = [['name', '=', move?.name]]
    const [action] = (await admin().read('ir.actions.server', 'search', { domain })) as number[]
    const conditions = ["if move.state != 'draft'", "if move.auto_post != 'no'", "if move.payment_state != 'not_paid'"]
    const code = conditions.reduce(
      (text, line) => text.replace(line, `if False and ${line.slice(3)}`),
      move?.code ?? '',
    )
    await admin().write('ir.actions.server', 'write', { ids: [action], vals: { code } })
    const found = failed(await proveDraftsOnly(as(keys.cloud))).join('\n')
    for (const field of ['payment_state', 'auto_post']) expect(found).toContain(`cannot write ${field}: Odoo let it`)
    const again = await setUpOdoo(adminCalls(), asked())
    expect(again.filter(({ did }) => did !== 'kept').map(({ fields }) => fields)).toEqual([['code']])
  }, 120_000)

  const posted = () => admin().read('account.move', 'search_count', { domain: [['state', '=', 'posted']] })
})

async function draftOf(odooOfCloud: FlatCalls): Promise<number> {
  const [partner] = (await done(
    odooOfCloud.write('res.partner', 'create', { vals_list: [{ name: 'Acme Ltd' }] }),
  )) as number[]
  const line = { name: 'Work', quantity: 1, price_unit: 100, tax_ids: [[6, 0, []]] }
  const values = { move_type: 'out_invoice', partner_id: partner, invoice_line_ids: [[0, 0, line]] }
  const [id] = (await done(odooOfCloud.write('account.move', 'create', { vals_list: [values] }))) as number[]
  return id ?? 0
}

async function done(writing: ReturnType<FlatCalls['write']>): Promise<unknown> {
  const answer = await writing
  if (answer.kind === 'done') return answer.value
  throw new Error(answer.reason)
}
