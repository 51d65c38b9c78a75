import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { GenericContainer, Wait } from 'testcontainers'
import { beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
let result: Record<string, unknown>

// PostgreSQL's own programs of the server's version are in its image; Node and this program are laid beside them.
beforeAll(async () => {
  const modules = realpathSync(join(root, 'node_modules'))
  const container = await new GenericContainer('postgres:17')
    .withEnvironment({ POSTGRES_USER: 'odoo', POSTGRES_PASSWORD: 'odoo', POSTGRES_DB: 'postgres' })
    .withBindMounts([
      { source: root, target: root, mode: 'ro' },
      ...(modules.startsWith(`${root}/`) ? [] : [{ source: modules, target: modules, mode: 'ro' as const }]),
    ])
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start()
  try {
    const node = realpathSync(process.execPath)
    const { output, exitCode } = await container.exec(
      [node, '--disable-warning=ExperimentalWarning', join(root, 'tests/support/odoo-dump-main.ts')],
      { user: 'postgres', workingDir: root },
    )
    if (exitCode !== 0) throw new Error(output)
    result = JSON.parse(output.slice(output.lastIndexOf('\n{') + 1)) as Record<string, unknown>
  } finally {
    await container.stop()
  }
})

test('a dump of Odoo says how many rows each table has, what they add up to, and how many files belong to it', () => {
  expect(result.made).toMatchObject({
    database: 'countersign',
    tables: { 'public.account_move': 500, 'public.ir_attachment': 3, 'public.Odd name': 0 },
    sums: { 'account_move.amount_total': '125285.00', 'account_move_line.debit': '44.00' },
    attachments: 2,
  })
})

test('it is restored into a database of its own and found whole, though the books went on since', () => {
  expect(result.whole).toMatch(/^ok: 4 tables/)
})

test.each([
  ['cut', /^failed: .*restoring Odoo/],
  ['emptied', /^failed: Odoo: public.account_move 0 rows instead of 500 rows/],
  ['attachmentMissing', /^failed: 2 attachments, found 1/],
  ['attachmentChanged', /^failed: 2 attachments, found 1/],
])('damage is found although a restore may say success: %s', (which, said) => {
  expect(result[which]).toMatch(said)
})

test('it is put back where there is no such database, under its name only when it is what it was', () => {
  expect(result.overIt).toMatch(/^ERR_RESTORE_REFUSED: .*is there already/)
  expect(result.otherSum).toMatch(/^ERR_BACKUP_DAMAGED: .*account_move.amount_total 125285.00 instead of 1$/)
  expect(result.loadedAgain).toBe('ok')
  expect(result.rows).toBe('500 125285.00')
  expect(result.left).toBe('countersign')
})

test('a database that is not there is an error, and no empty dump', () => {
  expect(result.noDatabase).toMatch(/^ERR_BACKUP_FAILED: .*"elsewhere" does not exist/)
})
