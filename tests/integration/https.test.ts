import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { request as overHttp } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Asked, askSite } from '#tests/support/https/ask-site.ts'
import { eventually } from '#tests/support/mail.ts'
import { freePorts } from '../../demo/free-ports.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const ODOO = 'odoo.countersign.test'
const GRAFANA = 'grafana.countersign.test'
const HEADERS = {
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'referrer-policy': 'same-origin',
  'content-security-policy': "frame-ancestors 'self'",
}

// Caddy as compose.cloud.yml runs it, with certificates of its own authority; in the places of Odoo and Grafana is what tells what it was asked.
describe('the sites on the web', () => {
  const project = `countersign-https-${randomBytes(4).toString('hex')}`
  let home: string
  let env: NodeJS.ProcessEnv
  let ports: { http: number; https: number }
  let ca: Buffer
  beforeAll(async () => {
    const [http = 0, https = 0] = await freePorts(2)
    ports = { http, https }
    home = await mkdtemp(join(tmpdir(), 'countersign-https-'))
    const [uid, gid] = [process.getuid?.() || 1000, process.getgid?.() || 1000]
    await chmod(home, 0o755)
    for (const folder of ['caddy', 'certified', 'authority']) {
      await mkdir(join(home, folder), { mode: 0o700 })
      if (process.getuid?.() === 0) await chown(join(home, folder), uid, gid)
    }
    env = {
      ...process.env,
      ...{ COUNTERSIGN_UID: String(uid), COUNTERSIGN_GID: String(gid), COUNTERSIGN_CLOUD_HOME: home },
      ...{ COUNTERSIGN_ODOO_SITE: ODOO, COUNTERSIGN_GRAFANA_SITE: GRAFANA, COUNTERSIGN_CERTIFICATES: 'internal' },
      ...{ COUNTERSIGN_WEB_BIND: '127.0.0.1', COUNTERSIGN_WEB_HTTP_PORT: String(http) },
      COUNTERSIGN_WEB_PORT: String(https),
    }
    await compose('up', '-d', 'caddy', 'behind', 'authority')
    ca = await rootIn('caddy')
    // Its certificate is there a moment later.
    await eventually('the site behind answers', async () => (await ask({}).catch(() => undefined))?.status === 200)
  })
  afterAll(async () => {
    await compose('down', '-v', '-t', '1')
    await rm(home, { recursive: true, force: true })
  })

  it('over http every named site leads to https, and nothing else answers', async () => {
    for (const host of [ODOO, GRAFANA]) {
      const { status, headers } = await askPlainly(host, '/web/login?next=%2Fodoo')
      expect([status, headers.location]).toEqual([308, `https://${host}/web/login?next=%2Fodoo`])
    }
    for (const host of ['evil.test', 'odoo.invalid', 'grafana.invalid', '127.0.0.1', `x.${ODOO}`])
      await expect(askPlainly(host, '/'), host).rejects.toThrow(/hang up|ECONNRESET/)
  })

  it.each([
    ['Odoo', ODOO, 200],
    ['Grafana', GRAFANA, 200],
    ['what is closed', ODOO, 404],
  ])('%s answers with strict headers, whatever it sets itself', async (_what, name, status) => {
    const answer = await ask({ name, path: status === 404 ? '/web/database/manager' : '/' })
    expect(answer.status).toBe(status)
    expect(answer.headers).toMatchObject(HEADERS)
    expect(answer.headers.server).toBeUndefined()
  })

  it('the cookie of a session is for TLS alone', async () => {
    const { headers } = await ask({})
    expect(headers['set-cookie']).toEqual(['session_id=abc; HttpOnly; Path=/; Secure', 'other=1; Path=/'])
  })

  it.each([
    ...[
      '/web/database/manager',
      '/web/database',
      '/web/database/',
      '/web/database/backup?x=1',
      '//web/database/manager',
    ],
    ...['/web//database/manager', '/web%2Fdatabase/manager', '/WEB/Database/Manager', '/web/./database/manager'],
    ...[
      '/x/../web/database/manager',
      '/web/%64atabase/manager',
      '/%77eb/database/selector',
      '/de/web/database/manager',
    ],
    ...['/web/database;x/manager', '/web/database%00/manager', '/./web/database/list', '/web/database/x/../manager'],
    ...['/xmlrpc/2/common', '/xmlrpc', '/XMLRPC/2/object', '/jsonrpc', '/%6asonrpc', '//jsonrpc', '/xmlrpc/2/../db'],
  ])('the database manager and the old protocols are closed: %s', async (path) => {
    for (const method of ['GET', 'POST']) expect(await ask({ path, method })).toMatchObject({ status: 404, text: '' })
  })

  it.each([
    '/web/health?db_server_status=1',
    '/json/2/account.move/search_read',
    '/web/databases',
    '/web/login',
    '/odoo',
  ])('the rest of Odoo is there: %s', async (path) => {
    const { status, text } = await ask({ path })
    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({ port: 8069, path })])
  })

  it('Grafana shows everything but its own figures', async () => {
    expect(JSON.parse((await ask({ name: GRAFANA, path: '/d/x' })).text)).toMatchObject({ port: 3000, path: '/d/x' })
    for (const path of ['/metrics', '/metrics/', '//metrics', '/METRICS', '/%6detrics'])
      expect(await ask({ name: GRAFANA, path }), path).toMatchObject({ status: 404, text: '' })
  })

  it('a websocket goes to Odoo’s port for events, and through', async () => {
    const socket = connectTls({ host: '127.0.0.1', port: ports.https, servername: ODOO, ca })
    const asked = ['GET /websocket?version=1 HTTP/1.1', `Host: ${ODOO}`, 'Connection: Upgrade', 'Upgrade: websocket']
    const lines = [...asked, 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: eA==', '', '']
    socket.write(lines.join('\r\n'))
    let text = ''
    for await (const part of socket) text += part
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
    expect(text).toContain('"port":8072,"method":"GET","path":"/websocket?version=1"')
  })

  it('the site is told who asks and under which name, and not what the asker says of that', async () => {
    const forged = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http' }
    const { headers } = JSON.parse((await ask({ headers: forged })).text) as { headers: Record<string, string> }
    expect(headers).toMatchObject({ host: ODOO, 'x-forwarded-host': ODOO, 'x-forwarded-proto': 'https' })
    expect(headers['x-forwarded-for']).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
    expect(headers['x-forwarded-for']).not.toBe('192.0.2.7')
  })

  it('a name that was not given has no certificate, and one site’s certificate opens no other', async () => {
    for (const name of ['evil.test', 'odoo.invalid', 'grafana.invalid'])
      await expect(ask({ name }), name).rejects.toThrow(/alert|ECONNRESET/)
    for (const host of ['evil.test', GRAFANA, 'odoo.invalid', '127.0.0.1'])
      expect(await ask({ host }), host).toMatchObject({ status: 421, text: expect.not.stringContaining('port') })
  })

  it('what is too long is refused', async () => {
    expect((await ask({ headers: { 'x-long': 'x'.repeat(64 * 1024) } })).status).toBe(431)
    const body = Buffer.alloc(9 * 1024 * 1024)
    expect((await ask({ name: GRAFANA, method: 'POST', path: '/api', body })).status).not.toBe(200)
    expect((await ask({ method: 'POST', path: '/web/binary/upload', body })).status).toBe(200)
  })

  it('Caddy listens on the web’s two ports, and for itself alone on one more', async () => {
    const sockets = await compose('exec', '-T', 'caddy', 'cat', '/proc/net/tcp', '/proc/net/tcp6')
    const listening = [...sockets.matchAll(/^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /gm)].map(
      ([, address = '', port = '']) => `${/^0+$/.test(address) ? 'any' : address}:${Number.parseInt(port, 16)}`,
    )
    // The engine's own name server is on 127.0.0.11, at a port that it chooses.
    expect(listening.filter((one) => !one.startsWith('0B00007F:')).sort()).toEqual([
      '0100007F:2020',
      'any:443',
      'any:80',
    ])
  })

  it.each([
    ['no site', {}, 'no site is named'],
    ['an address for a site', { COUNTERSIGN_ODOO_SITE: 'https://odoo.example.org' }, 'a site is a name alone'],
    ['more than a name', { COUNTERSIGN_ODOO_SITE: 'a.example { respond ok }' }, 'a site is a name alone'],
    [
      'an authority that is no address',
      { COUNTERSIGN_ODOO_SITE: ODOO, COUNTERSIGN_CERTIFICATES: 'internal2' },
      'expected nothing, internal, or the https address of an ACME directory',
    ],
  ])('with %s it does not start, and says why', async (_what, settings, words) => {
    const given = { COUNTERSIGN_ODOO_SITE: '', COUNTERSIGN_GRAFANA_SITE: '', COUNTERSIGN_CERTIFICATES: '', ...settings }
    await expect(inCaddy(given, 'sh', '/etc/caddy/start.sh')).rejects.toThrow(words)
  })

  it('without an authority of one’s own it asks Let’s Encrypt, or whom it was told to ask', async () => {
    const directory = 'https://acme-staging-v02.api.letsencrypt.org/directory'
    const script = 'sed s/"caddy run"/"caddy adapt"/ /etc/caddy/start.sh >/config/adapt.sh && sh /config/adapt.sh'
    const adapt = (given: string) => inCaddy({ COUNTERSIGN_CERTIFICATES: given }, 'sh', '-c', script)
    expect(await adapt('')).toContain('"issuers":[{"module":"acme"}]')
    expect(await adapt(directory)).toContain(`"issuers":[{"ca":"${directory}","module":"acme"}]`)
  })

  it('a certificate comes by ACME, through the ports that are open', async () => {
    const authority = await rootIn('authority')
    await compose('up', '-d', 'certified')
    const port = Number((await compose('port', 'certified', '443')).trim().split(':').at(-1))
    const books = { port, ca: authority, name: 'books.countersign.test' }
    const answer = await eventually('it is certified', () => askSite(books, { path: '/odoo' }).catch(() => undefined))
    expect(JSON.parse(answer.text)).toMatchObject({ port: 8069, path: '/odoo' })
    expect(await compose('logs', 'certified')).toMatch(/served key authentication.*"(http-01|tls-alpn-01)"/)
  })

  function rootIn(folder: string): Promise<Buffer> {
    const file = join(home, folder, 'caddy/pki/authorities/local/root.crt')
    return eventually('an authority', () => readFile(file).catch(() => undefined))
  }

  async function compose(...args: string[]): Promise<string> {
    const file = ['-f', 'tests/support/https/compose.yml', '--profile', 'https']
    const command = ['compose', '--env-file', '/dev/null', '-p', project, ...file, ...args]
    return (await run('docker', command, { env, cwd: root })).stdout
  }

  async function inCaddy(settings: Record<string, string>, ...command: string[]): Promise<string> {
    const given = Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    return compose('run', '--rm', '--no-deps', '-T', ...given, 'caddy', ...command)
  }

  function ask(asked: Asked): Promise<Answer> {
    return askSite({ port: ports.https, ca, name: ODOO }, asked)
  }

  function askPlainly(host: string, path: string): Promise<Pick<Answer, 'status' | 'headers'>> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: ports.http, path, headers: { host }, agent: false }
      overHttp(options, (response) => {
        response.resume()
        resolve({ status: response.statusCode ?? 0, headers: response.headers })
      })
        .on('error', reject)
        .end()
    })
  }
})
