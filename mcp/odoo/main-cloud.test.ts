import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { newTaskFile, parseTaskFile, renderTaskFile } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { parseConfig } from '#runtime/config.ts'
import { clientOf } from '#tests/support/mcp-client.ts'
import { ODOO_DB, ODOO_KEY, type OdooServer, startOdooServer } from '#tests/support/odoo-server.ts'
import { cloudSettings } from './config.ts'
import { cloudTools } from './main-cloud.ts'
import { createOdooServer } from './server.ts'

const HELD = '01J8Z3W6Q0ABCDEFGHJKABCDEF'
const OTHER = '01J8Z3W6Q0ABCDEFGHJKMNPQRS'
const PATH = vaultPath('In_Progress/cloud/EMAIL_2026-11-20_invoice_abcdef.md')
const ORDER = {
  customer: { email: 'ana@acme.example' },
  lines: [{ description: 'Work', quantity: '2', unit_price: '100', taxes: ['15'] }],
  currency: 'EUR',
}

let root: string
let odoo: OdooServer
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'mcp-odoo-'))
  odoo = await startOdooServer()
  writeFileSync(join(root, 'key'), ODOO_KEY)
})
afterEach(async () => {
  rmSync(root, { recursive: true })
  await odoo[Symbol.asyncDispose]()
})

async function call(task_id: string, domain = 'accounting') {
  const vault = await openVault(join(root))
  const front = { id: HELD, schema: '1', kind: 'EMAIL', domain, title: 'Invoice', generation: '1' } as const
  const task = newTaskFile({ ...front, created: '2026-11-20T09:00:00Z' } as Parameters<typeof newTaskFile>[0], '# t\n')
  await vault.create(PATH, renderTaskFile(task))
  const verdict = parseConfig(cloudSettings, {
    ...{ COUNTERSIGN_ZONE: 'cloud', COUNTERSIGN_VAULT: root, COUNTERSIGN_ODOO_URL: odoo.url },
    ...{ COUNTERSIGN_ODOO_DB: ODOO_DB, COUNTERSIGN_ODOO_KEY_FILE: join(root, 'key') },
  })
  if (!verdict.ok) throw new Error(verdict.faults.join('; '))
  const client = await clientOf(createOdooServer(Object.values(await cloudTools(verdict.config))))
  const { structuredContent } = await client.callTool({ name: 'create_draft', arguments: { task_id, ...ORDER } })
  const parsed = parseTaskFile((await vault.read(PATH)) ?? '')
  return { answer: structuredContent, invoice: parsed.ok ? parsed.task.front.invoice : undefined }
}

test('a task that the zone holds gets its draft, which its file then names; again is the same', async () => {
  const first = await call(HELD)
  expect(first).toMatchObject({
    answer: { outcome: 'created', invoice: { id: 101, total: '230.00' } },
    invoice: { odoo_id: '101', total: '230.00', currency: 'EUR' },
  })
  expect(await call(HELD)).toMatchObject({
    answer: { outcome: 'exists', invoice: { id: 101 } },
    invoice: first.invoice,
  })
  expect(odoo.created()).toHaveLength(1)
})

test('for a task that the zone does not hold, nothing is asked of the books', async () => {
  expect(await call(OTHER)).toMatchObject({ answer: { outcome: 'lost' }, invoice: undefined })
  expect(odoo.calls).toEqual([])
})

test('for a task of a domain that the zone may not draft, neither', async () => {
  expect(await call(HELD, 'payment')).toMatchObject({ answer: { outcome: 'refused' }, invoice: undefined })
  expect(odoo.calls).toEqual([])
})

/** While the books make the draft. */
function meanwhile(act: () => void) {
  const push = odoo.calls.push.bind(odoo.calls)
  odoo.calls.push = (...calls) => {
    if (calls.some(({ path }) => path.endsWith('/create'))) act()
    return push(...calls)
  }
}

test('a message that joined the task meanwhile stays', async () => {
  meanwhile(() => appendFileSync(join(root, PATH), 'a message that joined\n'))
  expect((await call(HELD)).invoice).toMatchObject({ odoo_id: '101' })
  expect(readFileSync(join(root, PATH), 'utf8')).toContain('a message that joined')
})

test('a task that has moved on meanwhile does not come back', async () => {
  meanwhile(() => {
    mkdirSync(join(root, 'Rejected'))
    renameSync(join(root, PATH), join(root, 'Rejected/EMAIL_2026-11-20_invoice_abcdef.md'))
  })
  expect(await call(HELD)).toMatchObject({ answer: { outcome: 'created' }, invoice: undefined })
  expect(existsSync(join(root, PATH))).toBe(false)
})
