import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { docker, eventually } from '#tests/support/mail.ts'
import { changeOwner } from '../../cli/init/change-owner.ts'
import { initZone } from '../../cli/init/init-zone.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const MAKING_MS = 300_000

// The first start takes a minute or two, so only where asked for; what is in an Odoo that stands is tried by the others.
describe.skipIf(process.env.COUNTERSIGN_TEST_ODOO !== '1')('the first start of Odoo in the cloud zone', () => {
  const project = `countersign-odoo-${randomBytes(4).toString('hex')}`
  let home: string
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'countersign-odoo-'))
    await chmod(home, 0o755)
    const [uid, gid] = [process.getuid?.() || 1000, process.getgid?.() || 1000]
    await initZone({ root: home, zone: 'cloud', settings: {}, secrets: {} })
    if (process.getuid?.() === 0) await changeOwner(home, { uid, gid })
    const numbers = { COUNTERSIGN_UID: String(uid), COUNTERSIGN_GID: String(gid) }
    env = { ...process.env, ...numbers, COUNTERSIGN_CLOUD_HOME: home }
    await compose('up', '-d', '--quiet-pull')
  })
  afterAll(async () => {
    await compose('down', '-v', '-t', '2')
    await rm(home, { recursive: true, force: true })
  })

  it('makes the database whole, although it is killed half-way', { timeout: MAKING_MS }, async () => {
    await eventually('it is being made', async () => (await databases()).includes('countersign.new'), MAKING_MS)
    await eventually(
      'it has tables',
      async () => Number(await sql('countersign.new', 'SELECT count(*) FROM pg_tables')) > 150,
      MAKING_MS,
    )
    const before = await restarts()
    await run('kill', ['-9', await inspect('{{.State.Pid}}')])
    await eventually('it is restarted', async () => (await restarts()) > before)
    expect(await databases()).not.toContain('countersign')
    await eventually('it is healthy', async () => (await inspect('{{.State.Health.Status}}')) === 'healthy', MAKING_MS)
    expect(await databases()).toEqual(['countersign', 'postgres'])
    expect(await readdir(join(home, 'odoo/filestore'))).toEqual(['countersign'])
  })

  it('nobody can log in before a password was asked for, and then with that one', async () => {
    expect(await logIn('admin', 'admin')).toContain('Access Denied')
    const [login = '', password = ''] = (await compose('exec', '-T', 'odoo', 'bash', '/etc/odoo/start.sh', 'password'))
      .trim()
      .split(' ')
    expect(password).toMatch(/^[\w-]{24}$/)
    expect(await logIn(login, password)).toContain('"username": "admin"')
    expect(await logIn('admin', 'admin')).toContain('Access Denied')
  })

  it('lists no databases, calls nobody, and its role in the database is no superuser', async () => {
    expect(await ask('/web/database/list', '{"params": {}}')).toContain('Access Denied')
    expect(await ask('/web/database/manager')).toContain('The database manager has been disabled')
    expect(await sql('countersign', "SELECT rolsuper FROM pg_roles WHERE rolname = 'odoo'")).toBe('f')
    expect(await sql('countersign', "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres'")).toBe('t')
    expect(await sql('countersign', "SELECT value FROM ir_config_parameter WHERE key = 'report.url'")).toBe(
      'http://127.0.0.1:8069',
    )
    const out = 'timeout 3 bash -c "</dev/tcp/1.1.1.1/443" 2>/dev/null && echo out || echo no'
    for (const service of ['odoo', 'odoo-db'])
      expect((await compose('exec', '-T', service, 'sh', '-c', out)).trim()).toBe('no')
  })

  it('a further start makes nothing, and goes on where one died before the files had their name', {
    timeout: MAKING_MS,
  }, async () => {
    await sql('countersign', "COMMENT ON DATABASE countersign IS 'the first'")
    await compose('stop', 'odoo')
    const files = join(home, 'odoo/filestore')
    await rename(join(files, 'countersign'), join(files, 'countersign.new'))
    await compose('start', 'odoo')
    await eventually('it is healthy', async () => (await inspect('{{.State.Health.Status}}')) === 'healthy', MAKING_MS)
    expect(await readdir(files)).toEqual(['countersign'])
    const comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'countersign'"
    expect(await sql('countersign', comment)).toBe('the first')
  })

  it('takes up a new password of its database after one command', { timeout: MAKING_MS }, async () => {
    await writeFile(join(home, 'secrets/odoo-db-password'), randomBytes(24).toString('base64url'))
    await compose('up', '-d', '--force-recreate')
    await eventually('it is refused', async () => (await compose('logs', 'odoo')).includes('authentication failed'))
    await compose('exec', '-T', 'odoo-db', 'bash', '/docker-entrypoint-initdb.d/odoo.sh')
    await eventually('it is healthy', async () => (await inspect('{{.State.Health.Status}}')) === 'healthy', MAKING_MS)
  })

  it('without its database it makes no empty one beside the files that there are', async () => {
    await compose('stop', 'odoo')
    await sql('postgres', 'DROP DATABASE countersign')
    await compose('start', 'odoo')
    await eventually('it says so', async () => (await compose('logs', 'odoo')).includes('is gone, its files are there'))
    expect(await databases()).toEqual(['postgres'])
    expect(await readdir(join(home, 'odoo/filestore'))).toEqual(['countersign'])
  })

  async function compose(...args: string[]): Promise<string> {
    const file = ['-f', 'tests/support/https/odoo.yml', '--profile', 'odoo']
    const command = ['compose', '--env-file', '/dev/null', '-p', project, ...file, ...args]
    return (await run('docker', command, { env, cwd: root })).stdout
  }

  async function sql(database: string, query: string): Promise<string> {
    return (await compose('exec', '-T', 'odoo-db', 'psql', '-U', 'postgres', '-tAd', database, '-c', query)).trim()
  }

  async function databases(): Promise<string[]> {
    const query = 'SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1'
    return (await sql('postgres', query).catch(() => '')).split('\n')
  }

  async function inspect(format: string): Promise<string> {
    return (await docker('inspect', '-f', format, `${project}-odoo-1`)).trim()
  }

  async function restarts(): Promise<number> {
    return Number(await inspect('{{.RestartCount}}'))
  }

  function ask(path: string, body?: string): Promise<string> {
    const sent = body === undefined ? [] : ['-H', 'content-type: application/json', '-d', body]
    return compose('exec', '-T', 'odoo', 'curl', '-s', ...sent, `http://127.0.0.1:8069${path}`)
  }

  function logIn(login: string, password: string): Promise<string> {
    const params = { db: 'countersign', login, password }
    return ask('/web/session/authenticate', JSON.stringify({ jsonrpc: '2.0', params }))
  }
})
