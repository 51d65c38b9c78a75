import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DUMP, dumpOdoo, loadOdoo, tryOutOdoo } from '#adapters/postgres/odoo-database.ts'
import type { OdooContents } from '#core/backup-manifest.ts'

// Runs in a container of PostgreSQL, whose programs it needs, as somebody other than root: prints one JSON object, what became of each case.
const server = { host: '127.0.0.1', user: 'odoo', password: 'odoo' }
const home = '/tmp/zone'
const sql = (text: string, database = 'countersign') =>
  execFileSync('psql', ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-h', server.host, '-U', server.user, '-d', database], {
    input: text,
    env: { PATH: process.env.PATH, PGPASSWORD: server.password },
  })
    .toString()
    .trim()

const files = join(home, 'odoo/filestore/countersign')
const attachments = ['an invoice', 'a picture'].map((text) => {
  const sha1 = createHash('sha1').update(text).digest('hex')
  const path = `${sha1.slice(0, 2)}/${sha1}`
  mkdirSync(join(files, path, '..'), { recursive: true })
  writeFileSync(join(files, path), text)
  return { path, sha1 }
})
sql('CREATE DATABASE countersign', 'postgres')
sql(`CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE TABLE account_move (id serial PRIMARY KEY, amount_total numeric);
  CREATE TABLE account_move_line (id serial, debit numeric, credit numeric);
  CREATE TABLE ir_attachment (id serial, store_fname text, checksum text);
  CREATE TABLE "Odd name" (id int);
  INSERT INTO account_move (amount_total) SELECT n + 0.07 FROM generate_series(1, 500) n;
  INSERT INTO account_move_line (debit, credit) SELECT 1.10, 1.10 FROM generate_series(1, 40);
  INSERT INTO ir_attachment (store_fname, checksum) VALUES ${attachments.map(({ path, sha1 }) => `('${path}', '${sha1}')`)};
  INSERT INTO ir_attachment (store_fname, checksum) VALUES ('../../../etc/passwd', 'x');`)

const result: Record<string, unknown> = {}
const folder = '/tmp/restored'
mkdirSync(folder)
const made = await dumpOdoo(home, server, 'countersign', folder)
sql('INSERT INTO account_move (amount_total) VALUES (1)')
const verdict = async (where = folder) =>
  (await tryOutOdoo(where, made)).map(({ result, found }) => `${result}: ${found}`).join('\n')
result.made = made
result.whole = await verdict()

const harmed = async (harm: (copy: string) => void) => {
  const copy = '/tmp/harmed'
  rmSync(copy, { recursive: true, force: true })
  cpSync(folder, copy, { recursive: true })
  harm(copy)
  return verdict(copy)
}
result.cut = await harmed((copy) => truncateSync(join(copy, DUMP), readFileSync(join(copy, DUMP)).length - 3_000))
// What a dump of Odoo's own looks like that was damaged: restoring it says success.
result.emptied = await harmed((copy) => {
  execFileSync(
    'pg_dump',
    [
      '-Fc',
      '-h',
      server.host,
      '-U',
      'odoo',
      '--exclude-table-data=account_move',
      '-f',
      join(copy, DUMP),
      'countersign',
    ],
    {
      env: { PATH: process.env.PATH, PGPASSWORD: server.password },
    },
  )
})
const attachment = (copy: string) => join(copy, 'odoo/filestore/countersign', attachments[0]?.path ?? '')
result.attachmentMissing = await harmed((copy) => rmSync(attachment(copy)))
result.attachmentChanged = await harmed((copy) => writeFileSync(attachment(copy), 'an invoicE'))

const loaded = async (contents: OdooContents) =>
  loadOdoo(home, server, folder, contents).then(
    (findings) => findings.map(({ result }) => result).join(),
    (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
  )
result.overIt = await loaded(made)
sql('DROP DATABASE countersign', 'postgres')
result.otherSum = await loaded({ ...made, sums: { ...made.sums, 'account_move.amount_total': '1' } })
result.loadedAgain = await loaded(made)
result.rows = sql('SELECT count(*) || $$ $$ || sum(amount_total) FROM account_move')
result.left = sql(
  "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE datname LIKE 'count%'",
  'postgres',
)
result.noDatabase = await dumpOdoo(home, server, 'elsewhere', '/tmp/none').then(
  () => 'made',
  (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
)
process.stdout.write(`${JSON.stringify(result)}\n`)
