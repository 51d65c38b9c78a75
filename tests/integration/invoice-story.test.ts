import { mkdtemp, readdir, readFile, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseTaskFile, type TaskFile } from '#core/task-file.ts'
import { eventually } from '#tests/support/mail.ts'
import { type RealOdoo, startRealOdoo } from '#tests/support/real-odoo.ts'
import { readClientInbox, sendAsClient } from '../../demo/client-mail.ts'
import { auditOf, hubPaths } from '../../demo/evidence.ts'
import { REDIS_SOURCES } from '../../demo/redis.ts'
import { type ScriptedModel, scriptedModelSettings, startScriptedModel } from '../../demo/scripted-model.ts'
import { openWorld, type World } from '../../demo/world.ts'

const LIMIT_MS = 90_000
const LETTER = `Hello Olivia,

could you please send us an invoice? It is 2 workshops at 450 EUR each, plus 19 % VAT, for Acme Ltd.

Kind regards
Clara`
/** The image has no wkhtmltopdf and renders no invoice: this is put beside it in Odoo, as somebody in the office would. */
const PDF = Buffer.from('%PDF-1.4 the invoice, made by hand')

// One story, told in order: both zones as processes, the mail server, Odoo and PostgreSQL in containers.
describe('a customer asks for an invoice by mail', () => {
  let odoo: RealOdoo
  let model: ScriptedModel
  let world: World
  let failed = false
  beforeAll(async () => {
    ;[odoo, model] = await Promise.all([startRealOdoo(), startScriptedModel()])
    const books = { COUNTERSIGN_ODOO_URL: odoo.url, COUNTERSIGN_ODOO_DB: 'demo' }
    world = await openWorld({
      ...{ root: await mkdtemp(join(tmpdir(), 'countersign-demo-')), isTemporary: true, undoMs: 200 },
      ...{ redis: REDIS_SOURCES, mailbox: 'container', env: process.env, say: () => {} },
      signal: AbortSignal.timeout(600_000),
      cloudSettings: { ...scriptedModelSettings(model), ...books },
      localSettings: books,
      secrets: { cloud: { 'odoo-key': odoo.keys.cloud }, local: { 'odoo-key': odoo.keys.local } },
    })
  }, 240_000)
  beforeEach(({ skip }) => skip(failed, 'the story ended before'))
  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail'
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    await model?.[Symbol.asyncDispose]()
    await odoo?.[Symbol.asyncDispose]()
  }, 60_000)

  it('while the local machine is off: a draft in Odoo, its posting and the reply wait at the hub', async () => {
    await world.startZone('cloud')
    const mail = clientMail()
    await sendAsClient(mail, { to: world.mailbox.accounts.owner.address, subject: 'Invoice, please', text: LETTER })
    await eventually('both files are at the hub', async () => (await atHub('Pending_Approval/')).length === 2, LIMIT_MS)
    const [move] = await moves()
    expect(move).toMatchObject({ state: 'draft', amount_total: 1071 })
    expect(await readClientInbox(mail)).toEqual([])
  }, 120_000)

  it('the local machine comes on: both are cards, and Plans/ shows what follows what', async () => {
    await world.startZone('local')
    const cards = await eventually(
      'two cards',
      async () => {
        const tasks = await pending()
        return tasks.length === 2 && tasks.every(({ task }) => task.front.presented) ? tasks : undefined
      },
      LIMIT_MS,
    )
    const [posting, reply] = byTool(cards)
    expect(reply?.task.front.after).toEqual([posting?.task.front.id])
    expect(reply?.task.body).toContain('attached is invoice {{invoice number}}.')
    expect(posting?.task.body).toMatch(/1071\.00 EUR/)
    const [note] = await eventually('the plan', async () => {
      const notes = (await readdir(join(vault(), 'Plans'))).filter((name) => name.startsWith('Plan '))
      return notes.length > 0 ? notes : undefined
    })
    expect(await readFile(join(vault(), 'Plans', note ?? ''), 'utf8')).toContain('0 of 2 steps done')
  }, 120_000)

  it('approved in the wrong order, they are done in the right one: posted, then sent with number and document', async () => {
    const [posting, reply] = byTool(await pending())
    await attachPdf(Number(posting?.task.front.action?.invoice))
    await approve(reply?.name ?? '')
    await approve(posting?.name ?? '')
    await eventually('the client has the mail', async () => (await readClientInbox(clientMail())).length > 0, LIMIT_MS)

    const [move] = await moves()
    expect(move).toMatchObject({ state: 'posted' })
    const number = String(move?.name)
    const [mail, ...others] = await readClientInbox(clientMail())
    expect(others).toEqual([])
    expect(mail?.text).toContain(`attached is invoice ${number}.`)
    expect(mail?.attachments.map(({ fileName }) => fileName)).toEqual([`${number.replace(/[^A-Za-z0-9]+/g, '-')}.pdf`])
    await eventually('both are done', async () => (await doneIds()).length === 2, LIMIT_MS)
    expect(await doneIds()).toEqual([posting?.task.front.id, reply?.task.front.id])
  }, 150_000)

  it('both ledgers verify, the hub has it all, and the plan is over', async () => {
    await eventually('the hub has both', async () => (await atHub('Done/')).length === 2, LIMIT_MS)
    // Each ledger's checkpoint crosses with the next push.
    await eventually('both ledgers verify', () => auditOf(Object.values(world.homes)).catch(() => undefined), LIMIT_MS)
    await eventually('the plan is over', async () => {
      const [note = ''] = (await readdir(join(vault(), 'Plans'))).filter((name) => name.startsWith('Plan '))
      return (await readFile(join(vault(), 'Plans', note), 'utf8')).includes('This plan is over')
    })
    expect(await moves()).toHaveLength(1)
  }, 120_000)

  function vault(): string {
    return world.homes.local.vault
  }

  function clientMail() {
    const { smtp, imap, accounts } = world.mailbox
    return { smtp, imap, client: accounts.client }
  }

  async function atHub(folder: string): Promise<string[]> {
    return (await hubPaths(world.hub).catch(() => [])).filter((path) => path.startsWith(folder))
  }

  async function pending(): Promise<{ name: string; task: TaskFile }[]> {
    const folder = join(vault(), 'Pending_Approval/accounting')
    const names = await readdir(folder).catch(() => [])
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')))
    return texts.flatMap((text, index) => {
      const parsed = parseTaskFile(text)
      return parsed.ok ? [{ name: names[index] ?? '', task: parsed.task }] : []
    })
  }

  function byTool<T extends { task: TaskFile }>(tasks: readonly T[]): [T | undefined, T | undefined] {
    const of = (tool: string) => tasks.find(({ task }) => task.front.action?.tool === tool)
    return [of('odoo.post_invoice'), of('email.send_email')]
  }

  function approve(name: string): Promise<void> {
    return rename(join(vault(), 'Pending_Approval/accounting', name), join(vault(), 'Approved', name))
  }

  /** In the order in which the executor's ledger tells of them. */
  async function doneIds(): Promise<string[]> {
    const folder = join(vault(), 'Logs/local')
    const lines = (await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8'))))
      .join('')
      .split('\n')
      .filter((line) => line.includes('"execution.done"'))
    return lines.map((line) => String((JSON.parse(line) as { task?: string }).task))
  }

  async function moves(): Promise<Record<string, unknown>[]> {
    const domain = [['move_type', '=', 'out_invoice']]
    return call('account.move', 'search_read', { domain, fields: ['name', 'state', 'amount_total'] })
  }

  async function attachPdf(id: number): Promise<void> {
    const file = { name: 'INV.pdf', res_model: 'account.move', res_id: id, mimetype: 'application/pdf' }
    await call('ir.attachment', 'create', { vals_list: [{ ...file, datas: PDF.toString('base64') }] })
  }

  /** As the administrator. */
  async function call<T>(name: string, method: string, body: object): Promise<T> {
    const response = await fetch(`${odoo.url}/json/2/${name}/${method}`, {
      method: 'POST',
      headers: {
        authorization: `bearer ${odoo.keys.admin}`,
        'x-odoo-database': 'demo',
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${name}.${method}: ${response.status} ${(await response.text()).slice(0, 500)}`)
    return (await response.json()) as T
  }
})
