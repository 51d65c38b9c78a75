import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openOdoo } from '#adapters/odoo/open-odoo.ts'
import { skillFolders } from '#adapters/skills/skill-folder.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { readAction } from '#core/action.ts'
import { claimedBy } from '#core/claim.ts'
import type { TaskId } from '#core/ids.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import type { InvoiceAnswer } from '#core/read-invoice.ts'
import {
  draftOf,
  newTaskFile,
  parseTaskFile,
  renderSection,
  renderTaskFile,
  section,
  type TaskFile,
} from '#core/task-file.ts'
import { fileNameOf, vaultPath } from '#core/vault-path.ts'
import { ODOO_DB, ODOO_KEY, type OdooServer, odooError, startOdooServer } from '#tests/support/odoo-server.ts'
import { type Scripted, scriptedModel, unanswered } from '#tests/support/scripted-model.ts'
import { type DraftInvoiceDeps, draftInvoice } from './draft-invoice.ts'
import { CannotDraft } from './give-back.ts'
import { findClaimed } from './hand-in.ts'
import { replyDrafter } from './reply-drafter.ts'

const ID = '01J8Z3W6Q0ABCDEFGHJKABCDEF' as TaskId
const NAME = 'EMAIL_2026-11-20_invoice_abcdef.md'
const CLAIMED = vaultPath(`In_Progress/cloud/${NAME}`)
const PENDING = vaultPath(`Pending_Approval/accounting/${NAME}`)
const NOTE = vaultPath('Plans/Invoice abcdef-1.md')
const MAIL = 'Please invoice Acme Ltd for 2 workshops at 450 EUR each, plus 15 % VAT, order number PO-7.'
const ANSWER: InvoiceAnswer = {
  customer: { name: 'Acme Ltd', email: 'ana@acme.example', address: null, tax_id: null },
  lines: [{ description: 'workshops', quantity: '2', unit_price: '450', tax_percent: ['15'] }],
  ...{ prices_include_tax: false, currency: 'EUR', due: null, reference: 'PO-7' },
}
const REPLY = { text: 'Two workshops, thank you.', language: 'en', needs: [], read: [] }

let root: string
let vault: VaultPort
let odoo: OdooServer
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'invoice-'))
  vault = await openVault(root)
  odoo = await startOdooServer()
})
afterEach(async () => {
  rmSync(root, { recursive: true })
  await odoo[Symbol.asyncDispose]()
})

function depsWith(
  answers: readonly Scripted[] | undefined,
  options: { books?: boolean; vault?: Partial<VaultPort> } = {},
) {
  const model = answers && scriptedModel(...answers)
  const common = {
    vault: { ...vault, ...options.vault } as VaultPort,
    ledger: { append: async () => ({}) as never },
    ...{ clock: { now: () => Date.parse('2026-11-20T10:00:00Z') }, zone: 'cloud' as const, agent: 'cloud' },
    ...{ ownerName: 'O. Owner', expiresAfterMs: 86_400_000 },
    ...{ openSkill: skillFolders(join(import.meta.dirname, '../../skills')).open, ask: model?.ask },
  }
  const books = openOdoo({ url: odoo.url, database: ODOO_DB, key: () => ODOO_KEY }, 'cloud')
  const deps: DraftInvoiceDeps = {
    ...common,
    ownerAddress: 'owner@countersign.test',
    write: replyDrafter({ ...common, skillName: 'cloud-draft-email', recognizeLanguage: () => undefined }),
    invoices: { ...common, skillName: 'cloud-odoo-draft', books: options.books === false ? undefined : books },
  }
  return { deps, asked: model?.asked ?? [] }
}

async function put(text = MAIL, front: object = {}, more = ''): Promise<void> {
  const task = newTaskFile(
    {
      ...{ id: ID, schema: '1', kind: 'EMAIL', domain: 'accounting', title: 'Invoice', generation: '1' },
      created: '2026-11-20T09:00:00Z',
      source: { provider: 'imap', from: 'Ana <ana@acme.example>', reply_to: ['ana@acme.example'] },
      ...front,
    },
    `# t\n\n${renderSection('original', text)}\n${more}`,
  )
  await vault.create(CLAIMED, renderTaskFile(task))
}
async function run(deps: DraftInvoiceDeps, generation = 1) {
  const claimed = await findClaimed({ taskId: ID, generation }, deps)
  if (!claimed) throw new Error('not claimed')
  return draftInvoice(claimed, deps)
}
async function pending(): Promise<TaskFile> {
  const parsed = parseTaskFile((await vault.read(PENDING)) ?? '')
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.task
}

test('the invoice is drafted in the books, its data stand in the file, and the reply is told what was understood', async () => {
  await put()
  const { deps, asked } = depsWith([ANSWER, REPLY])
  expect(await run(deps)).toMatchObject({ kind: 'drafted', path: PENDING })
  const task = await pending()
  expect(task.front.invoice).toEqual({ odoo_id: '101', total: '1035.00', currency: 'EUR' })
  expect(task.front.drafted).toMatchObject({
    cost_usd: '0.02',
    remark:
      'Nobody said the customer’s address, when it is due. Invoice 101 in Odoo, 1035.00 EUR for Acme Ltd: a draft. What the mail says of it: Plans/Invoice abcdef-1.md',
  })
  expect(await vault.read(NOTE)).toMatch(/\| Sum \| 1035\.00 \|[\s\S]*\| workshops \| 2 \| 450 \| 15 \|/)
  expect(draftOf(task)).toBe('Two workshops, thank you.')
  expect(odoo.created()).toMatchObject([{ ref: `CS-${ID}`, partner_id: [11, 'Acme Ltd'], amount_total: 1035 }])
  expect(asked.map(({ purpose }) => purpose)).toEqual(['invoice', 'reply'])
  expect(asked[0]?.prompt).toContain(MAIL)
  expect(asked[0]?.instructions).toContain('What an invoice needs')
  expect(asked[1]?.prompt).toMatch(/They ask for an invoice\.[\s\S]*<<<invoice [\s\S]*1035\.00/)
  expect(asked[1]?.prompt).not.toContain('Ask for what is still missing')
})

const ANNOUNCING = { ...REPLY, text: 'Two workshops, thank you. Attached is {{invoice number}}.' }
const openTasks = () => vault.list('Needs_Action/accounting')
async function at(path: string): Promise<TaskFile> {
  const parsed = parseTaskFile((await vault.read(vaultPath(path))) ?? '')
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.task
}
/** The task that posts, as the cloud's sync claims it. */
async function claimPosting(from = 'Needs_Action/accounting') {
  const [path = vaultPath('HALT.md')] = (await vault.list(from)).filter((one) => !one.endsWith(NAME))
  const task = claimedBy(await at(path), 'cloud', '2026-11-20T09:30:00Z')
  await vault.create(vaultPath(`In_Progress/cloud/${fileNameOf(path)}`), renderTaskFile(task))
  await vault.remove(path)
  return { taskId: task.front.id, generation: task.front.generation, name: fileNameOf(path) }
}
async function draftClaimed(job: { taskId: TaskId; generation: number }, deps: DraftInvoiceDeps) {
  const claimed = await findClaimed(job, deps)
  if (!claimed) throw new Error('not claimed')
  return draftInvoice(claimed, deps)
}

describe('a draft in the books makes two files', () => {
  test('one posts it; the other is the reply, which goes out after that with the place for the number open', async () => {
    await put()
    const { deps, asked } = depsWith([ANSWER, ANNOUNCING])
    await run(deps)
    const [path = '', ...others] = await openTasks()
    expect(others).toEqual([])
    const posting = await at(path)
    expect(posting.front).toMatchObject({ kind: 'INVOICE', parent: ID, domain: 'accounting', generation: 0 })
    expect(section(posting, 'original')).toContain(MAIL)
    const reply = await pending()
    expect(reply.front.after).toEqual([posting.front.id])
    expect(readAction(reply)).toMatchObject({
      ok: true,
      action: {
        invoice: {
          task: posting.front.id,
          customer: 'Acme Ltd',
          total: '1035.00',
          currency: 'EUR',
          document: 'required',
        },
      },
    })
    expect(draftOf(reply)).toContain('{{invoice number}}')
    expect(asked[1]?.prompt).toContain('Where its number belongs write {{invoice number}}')
    expect(reply.front.drafted?.remark).toContain('Nobody said the customer’s address, when it is due')

    const job = await claimPosting()
    expect(await draftClaimed(job, depsWith([]).deps)).toMatchObject({ kind: 'drafted' })
    const drafted = await at(`Pending_Approval/accounting/${job.name}`)
    expect(readAction(drafted)).toMatchObject({
      ok: true,
      action: { tool: 'odoo.post_invoice', invoice: '101', customer: 'Acme Ltd', total: '1035.00', task: ID },
    })
    expect(drafted.front.drafted).toMatchObject({ model: 'none', cost_usd: '0' })
  })

  test('once, however often the request is drafted, and wherever the posting stands by then', async () => {
    await put()
    await run(depsWith([ANSWER, ANNOUNCING]).deps)
    const first = await pending()
    for (const folder of ['In_Progress/cloud', 'Pending_Approval/accounting', 'Approved', 'Done/2026-11']) {
      const [path = vaultPath('HALT.md')] = await openTasks()
      const elsewhere = vaultPath(`${folder}/${fileNameOf(path)}`)
      await vault.move(path, elsewhere)
      await vault.move(PENDING, CLAIMED)
      await run(depsWith([ANSWER, ANNOUNCING]).deps)
      expect(await openTasks()).toEqual([])
      expect((await pending()).front.after).toEqual(first.front.after)
      await vault.move(elsewhere, path)
    }
  })

  test('the reply waits for none once the person has rejected the posting, or has posted it in the books', async () => {
    await put()
    await run(depsWith([ANSWER, ANNOUNCING]).deps)
    const [path = vaultPath('HALT.md')] = await openTasks()
    await vault.move(path, vaultPath(`Rejected/${fileNameOf(path)}`))
    await vault.move(PENDING, CLAIMED)
    const { deps, asked } = depsWith([ANSWER, REPLY])
    await run(deps)
    const again = await pending()
    expect([again.front.after, again.front.action?.invoice]).toEqual([undefined, undefined])
    expect(again.front.drafted?.remark).toContain('You rejected posting it')
    expect(asked[1]?.prompt).not.toContain('{{invoice number}}')
  })

  test('a model that leaves another place open is asked again, and its text is not taken', async () => {
    await put()
    const bad = { ...REPLY, text: 'Attached is {{invoice number}}, {{name}}.' }
    await run(depsWith([ANSWER, bad, bad]).deps)
    const reply = await pending()
    expect(reply.front.drafted?.model).toBe('template')
    expect(draftOf(reply)).toBe(
      'Dear Ana,\n\nThank you for your message. Please find invoice {{invoice number}} attached.\n\nKind regards\nO. Owner',
    )
  })

  test('without somebody to answer, the request itself is what posts it', async () => {
    await put(MAIL, { source: { provider: 'inbox' } })
    expect(await run(depsWith([ANSWER]).deps)).toMatchObject({ kind: 'drafted' })
    expect(await openTasks()).toEqual([])
    expect(readAction(await pending())).toMatchObject({ ok: true, action: { tool: 'odoo.post_invoice', task: ID } })
  })

  test('a posting that was redrafted says what the books hold by then', async () => {
    await put()
    await run(depsWith([ANSWER, ANNOUNCING]).deps)
    const job = await claimPosting()
    const [move] = odoo.created() as Record<string, unknown>[]
    if (move) move.state = 'posted'
    expect(await draftClaimed(job, depsWith([]).deps)).toMatchObject({
      kind: 'unusable',
      problem: expect.stringContaining('no draft any more'),
    })
    expect((await at(`Pending_Approval/accounting/${job.name}`)).front.action).toBeUndefined()
  })

  test('a posting of what could not be posted is given back', async () => {
    await put()
    await run(depsWith([ANSWER, ANNOUNCING]).deps)
    const job = await claimPosting()
    const [move] = odoo.created() as Record<string, unknown>[]
    if (move) move.amount_total = 0
    await expect(draftClaimed(job, depsWith([]).deps)).rejects.toBeInstanceOf(CannotDraft)
  })

  test.each([
    ['without books', { books: false }],
    ['whose draft is gone', {}],
  ])('a posting %s is given back with the reason', async (_what, options) => {
    await put()
    await run(depsWith([ANSWER, ANNOUNCING]).deps)
    const job = await claimPosting()
    odoo.tables['account.move']?.splice(0)
    await expect(draftClaimed(job, depsWith([], options).deps)).rejects.toBeInstanceOf(CannotDraft)
  })
})

test('without books the data stand in the note', async () => {
  await put()
  const { deps } = depsWith([ANSWER, REPLY], { books: false })
  await run(deps)
  const { front } = await pending()
  expect(front.invoice).toBeUndefined()
  expect(await vault.read(NOTE)).toContain('| Sum | 1035.00 |')
  expect(front.drafted?.remark).toMatch(/no books are set up/)
  expect(odoo.calls).toEqual([])
})

test('without a model nothing is taken out of the mail, and the reply is drafted all the same', async () => {
  await put()
  await run(depsWith(undefined).deps)
  const { front } = await pending()
  expect(front.invoice).toBeUndefined()
  expect(front.drafted).toMatchObject({ model: 'template', remark: expect.stringMatching(/no model is set up/) })
  expect(front.action).toMatchObject({ tool: 'email.send_email', to: ['ana@acme.example'] })
  expect(odoo.created()).toEqual([])
})

describe('nothing is created, and the remark says why', () => {
  test.each<[string, Scripted, RegExp]>([
    [
      'a price that the mail does not have',
      { ...ANSWER, lines: [{ ...ANSWER.lines[0], unit_price: '45' }] },
      /missing: the price of line 1/,
    ],
    [
      'a customer that nobody named',
      { ...ANSWER, customer: { name: 'Evil Inc', email: null, address: null, tax_id: null } },
      /missing: who the customer is/,
    ],
    ['no taxes', { ...ANSWER, lines: [{ ...ANSWER.lines[0], tax_percent: null }] }, /missing: the tax of line 1/],
    ['an answer of no form', { ...ANSWER, account: 'DE89' }, /the model's answer/],
    ['a model that is down', unanswered('unreachable', 'the model does not answer'), /the model does not answer/],
  ])('%s', async (_why, answer, remark) => {
    await put()
    expect(await run(depsWith([answer, REPLY]).deps)).toMatchObject({ kind: 'drafted' })
    expect((await pending()).front.drafted?.remark).toMatch(remark)
    expect(odoo.created()).toEqual([])
  })

  test('books that are down, or refuse', async () => {
    await put()
    odoo.fail({ when: 'before', method: 'search_read', answer: { status: 502, page: 'Bad Gateway' } })
    await run(depsWith([ANSWER, REPLY]).deps)
    expect((await pending()).front.drafted?.remark).toMatch(
      /^No invoice was drafted \(ERR_ODOO_UNREACHABLE\): Odoo at .*: 502/,
    )
    await vault.move(PENDING, CLAIMED)
    odoo.fail({
      when: 'before',
      method: 'create',
      answer: { status: 422, json: odooError('odoo.exceptions.UserError', 'Locked.') },
    })
    await run(depsWith([ANSWER, REPLY]).deps)
    expect((await pending()).front.drafted?.remark).toMatch(/^No invoice was drafted: .*Locked\./)
  })
})

test('what the person adds in the notes completes it at the next draft', async () => {
  const notes = renderSection('notes', '15 % VAT')
  await put('Please invoice Acme Ltd for 2 workshops at 450 EUR each, PO-7.', { generation: '2' }, `\n${notes}\n`)
  await run(depsWith([ANSWER, REPLY]).deps, 2)
  expect((await pending()).front).toMatchObject({ generation: 2, invoice: { odoo_id: '101' } })
})

test.each([1, 2, 3, 4, 5, 6, 7])('a crash at its step %i makes no second invoice and no third file', async (dies) => {
  await put()
  let steps = 0
  const counted = <K extends 'replaceIf' | 'create' | 'move'>(name: K): VaultPort[K] =>
    (async (...args: unknown[]) => {
      steps++
      if (steps === dies) throw new Error('crash')
      return (vault[name] as (...all: unknown[]) => Promise<unknown>)(...args)
    }) as VaultPort[K]
  const dying = { replaceIf: counted('replaceIf'), create: counted('create'), move: counted('move') }
  await run(depsWith([ANSWER, ANNOUNCING], { vault: dying }).deps).catch(() => undefined)
  if (await vault.exists(CLAIMED)) await run(depsWith([ANSWER, ANNOUNCING]).deps)
  expect(odoo.created()).toHaveLength(1)
  const [posting = '', ...others] = await openTasks()
  expect(others).toEqual([])
  expect((await pending()).front.after).toEqual([(await at(posting)).front.id])
})

test.each(['replaceIf', 'create', 'move'] as const)('a crash before its %s makes no second invoice', async (step) => {
  await put()
  const crash = new Error('crash')
  const { deps } = depsWith([ANSWER, REPLY], { vault: { [step]: () => Promise.reject(crash) } })
  await expect(run(deps)).rejects.toBe(crash)
  expect(await run(depsWith([ANSWER, REPLY]).deps)).toMatchObject({ kind: 'drafted' })
  expect(odoo.created()).toHaveLength(1)
  expect((await pending()).front.invoice).toMatchObject({ odoo_id: '101' })
})

test('a zone that may not draft it does nothing', async () => {
  await put(MAIL, { domain: 'payment' })
  const { deps, asked } = depsWith([ANSWER, REPLY])
  expect(await run(deps)).toMatchObject({ kind: 'forbidden' })
  expect([asked, odoo.calls]).toEqual([[], []])
})

test('a task that was given back meanwhile does not come back to life, and one that was joined is drafted anew', async () => {
  await put()
  const meanwhile = (what: () => Promise<unknown>) => {
    const create: VaultPort['create'] = async (path, content) => {
      await what()
      return vault.create(path, content)
    }
    return depsWith([ANSWER, REPLY], { vault: { create } }).deps
  }
  expect(await run(meanwhile(async () => vault.replace(CLAIMED, `${await vault.read(CLAIMED)}\nmore`)))).toEqual({
    ...{ kind: 'lost', isChanged: true },
  })
  expect(await run(meanwhile(() => vault.remove(CLAIMED)))).toEqual({ kind: 'lost', isChanged: false })
  expect(await vault.exists(CLAIMED)).toBe(false)
  expect(odoo.created()).toHaveLength(1)
})
