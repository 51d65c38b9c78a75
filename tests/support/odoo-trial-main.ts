import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dumpOdoo, tryOutOdoo } from '#adapters/postgres/odoo-database.ts'

// Runs in a container of PostgreSQL that has a real Odoo's database, as somebody other than root; /trial is shared with a
// trial Odoo. Prints one JSON object: what became of each case.
const server = { host: '127.0.0.1', user: 'odoo', password: 'odoo' }
const env = { PATH: process.env.PATH, PGPASSWORD: server.password }
const sql = (database: string, text: string) =>
  execFileSync('psql', ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-h', server.host, '-U', server.user, '-d', database], {
    input: text,
    env,
  })

async function trialOf(database: string, place: string): Promise<string[]> {
  const folder = `/tmp/restored-${database}`
  mkdirSync(folder)
  const made = await dumpOdoo('/tmp/none', server, database, folder)
  const findings = await tryOutOdoo(folder, made, place)
  return findings.map(({ check, result, found }) => `${check}: ${result}: ${found}`)
}

const result: Record<string, unknown> = {}
result.absent = await trialOf('demo', '/tmp')
execFileSync('rm', ['-r', '/tmp/restored-demo'])
const begun = Date.now()
result.whole = await trialOf('demo', '/trial')
result.seconds = (Date.now() - begun) / 1_000
// Whole by every count, and yet no page comes of it.
sql('postgres', 'CREATE DATABASE broken TEMPLATE demo')
sql('broken', `UPDATE ir_ui_view SET arch_db = '{"en_US": "harmed"}' WHERE key LIKE 'web.%'`)
result.broken = await trialOf('broken', '/trial')
process.stdout.write(`${JSON.stringify(result)}\n`)
