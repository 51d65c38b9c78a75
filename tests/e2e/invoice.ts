import { execFile } from 'node:child_process'
import { appendFile, chown, copyFile, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import type { Finding } from '#core/finding.ts'
import { parseTaskFile, type TaskFile } from '#core/task-file.ts'
import { type ComposeZone, type ComposeZones, connectTo } from '#tests/support/compose.ts'
import { askSite, type Site } from '#tests/support/https/ask-site.ts'
import { docker, eventually } from '#tests/support/mail.ts'
import { BEFORE_SET_UP } from '#tests/support/real-odoo.ts'
import { readClientInbox, sendAsClient } from '../../demo/client-mail.ts'
import { type ScriptedModel, scriptedModelSettings, startScriptedModel } from '../../demo/scripted-model.ts'

const run = promisify(execFile)
const SITE = 'odoo.countersign.test'
const LIMIT_MS = 90_000
const SUBJECT = 'Invoice, please'
const LETTER = `Hello Olivia,

could you please send us an invoice? It is 2 workshops at 450 EUR each, plus 19 % VAT, for Acme Ltd.

Kind regards
Clara`
/** The image has no wkhtmltopdf and renders no invoice: this is put beside it in Odoo, as somebody in the office would. */
const PDF = Buffer.from('%PDF-1.4 the invoice, made by hand')

/** What the story before has at hand. */
export interface Told {
  readonly zones: ComposeZones
  hubFiles(prefix: string): Promise<string[]>
}

/** The second part of the story: Odoo and Caddy join the cloud zone, and a client asks for an invoice while the local one is off. */
export function tellInvoice(told: () => Told): void {
  let model: ScriptedModel | undefined
  let site: Site
  let keys: { admin: string; local: string }
  afterAll(() => model?.[Symbol.asyncDispose]())

  it('Odoo comes up beside the cloud zone, behind Caddy, with its database manager closed', async () => {
    const { zones } = told()
    Object.assign(zones.settings, {
      ...{ COMPOSE_PROFILES: 'https,odoo', COUNTERSIGN_ODOO_SITE: SITE, COUNTERSIGN_CERTIFICATES: 'internal' },
    })
    await zones.cloud.compose('up', '-d', '--wait', '--wait-timeout', '60', 'odoo-db')
    await restoreDemo(zones.cloud)
    await zones.cloud.compose('up', '-d', 'odoo', 'caddy')
    const root = join(zones.cloud.home, 'caddy/caddy/pki/authorities/local/root.crt')
    const ca = await eventually('Caddy’s authority', () => readFile(root).catch(() => undefined), LIMIT_MS)
    site = { port: zones.webPorts.https, ca, name: SITE }
    const look = () => askSite(site, { path: '/web/health?db_server_status=1' }).catch(() => undefined)
    const isUp = async () => (await look())?.status === 200
    await eventually('Odoo answers', isUp, LIMIT_MS)
    const login = await askSite(site, { path: '/web/login' })
    expect(login).toMatchObject({ status: 200, headers: { 'strict-transport-security': 'max-age=31536000' } })
    for (const path of [
      '/web/database/manager',
      '//web/database/manager',
      '/web;x/database/manager',
      '/xmlrpc/2/common',
    ])
      expect([path, (await askSite(site, { path })).status]).toEqual([path, 404])
    // Nor would it be open without Caddy.
    const manager = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '-d', 'master_pwd=admin&name=countersign']
    const dropped = await zones.cloud.exec('odoo', ...manager, 'http://127.0.0.1:8069/web/database/drop')
    expect(await shell(zones.cloud, 'print("STILL", env.cr.dbname)'), dropped).toContain('STILL countersign')
  })

  it('it is set up from the local machine, through Caddy, and the cloud’s key is proven to draft and no more', async () => {
    const { cloud, local, settings } = told().zones
    const [, admin = ''] = /KEYS ([0-9a-f]{40})/.exec(await shell(cloud, BEFORE_SET_UP)) ?? []
    settings.COUNTERSIGN_ODOO_CA = join(local.home, 'odoo-ca.crt')
    await writeFile(settings.COUNTERSIGN_ODOO_CA, site.ca, { mode: 0o644 })
    model = await startScriptedModel({ host: '0.0.0.0' })
    const asked = scriptedModelSettings({ ...model, url: model.url.replace('127.0.0.1', 'host.docker.internal') })
    const books = { COUNTERSIGN_ODOO_URL: `https://${SITE}`, COUNTERSIGN_ODOO_DB: 'countersign' }
    await addSettings(join(cloud.home, '.env.cloud'), { ...books, ...asked })
    await addSettings(join(local.home, '.env.local'), books)
    // For the local zone Odoo is out on the internet, under its name.
    const caddy = (await cloud.compose('ps', '-q', 'caddy')).trim()
    await connectTo(`${local.project}_mail`, caddy, SITE)
    const keyFile = join(local.home, 'admin-key')
    await writeFile(keyFile, admin, { mode: 0o600 })
    await giveTo(local.home, keyFile)
    const { findings } = await inLocal<{ findings: Finding[] }>(
      local,
      'odoo',
      'setup',
      '--admin-key-file',
      '/zone/admin-key',
    )
    expect(findings.length).toBeGreaterThan(40)
    expect(findings.filter(({ result }) => result === 'failed')).toEqual([])

    await copyFile(join(local.home, 'odoo-key-cloud'), join(cloud.home, 'secrets/odoo-key'))
    const { uid, gid } = await stat(cloud.home)
    await cloud.cli('init', 'cloud', '--owner', `${uid}:${gid}`)
    keys = { admin, local: (await readFile(join(local.home, 'secrets/odoo-key'), 'utf8')).trim() }
  })

  it('while the local machine is off: a draft in Odoo, its posting and the reply wait at the hub', async () => {
    const { zones, hubFiles } = told()
    await zones.local.compose('stop', '-t', '5')
    await zones.up('cloud')
    await sendAsClient(clientMail(), { to: zones.mail.accounts.owner.address, subject: SUBJECT, text: LETTER })
    const waiting = () => hubFiles('Pending_Approval/accounting/')
    await eventually('both files are at the hub', async () => (await waiting()).length === 2, LIMIT_MS)
    expect(await moves()).toEqual([expect.objectContaining({ state: 'draft', amount_total: 1071 })])
    expect(await lettersAbout()).toEqual([])
  })

  it('the local machine comes on; approved in the wrong order, they are done in the right one', async () => {
    const { zones } = told()
    await zones.up('local')
    const [posting, reply] = await eventually('two cards', presentedCards, LIMIT_MS)
    expect(reply.task.front.after).toEqual([posting.task.front.id])
    await attachPdf(Number(posting.task.front.action?.invoice))
    await approve(reply.name)
    await approve(posting.name)
    await eventually('the client has the mail', async () => (await lettersAbout()).length > 0, LIMIT_MS)

    const [move, ...more] = await moves()
    expect(more).toEqual([])
    expect(move).toMatchObject({ state: 'posted' })
    const number = String(move?.name)
    const [letter, ...others] = await lettersAbout()
    expect(others).toEqual([])
    expect(letter?.text).toContain(`attached is invoice ${number}.`)
    expect(letter?.attachments.map(({ fileName }) => fileName)).toEqual([
      `${number.replace(/[^A-Za-z0-9]+/g, '-')}.pdf`,
    ])
    await eventually('both are done', async () => (await doneIds()).includes(reply.task.front.id), LIMIT_MS)
    expect((await doneIds()).slice(-2)).toEqual([posting.task.front.id, reply.task.front.id])
  })

  it('the hub has it all, and both ledgers verify', async () => {
    const { zones, hubFiles } = told()
    const done = async () => (await hubFiles('Done/')).filter((path) => path.includes('invoice'))
    await eventually('the hub has both', async () => (await done()).length === 2, LIMIT_MS)
    // Each ledger's checkpoint crosses with the next push.
    for (const zone of [zones.cloud, zones.local])
      await eventually(`the ledgers of ${zone.project} verify`, () =>
        zone.cli('audit', 'verify').catch(() => undefined),
      )
  })

  function clientMail() {
    const { smtp, imap, accounts } = told().zones.mail
    return { smtp, imap, client: accounts.client }
  }

  async function lettersAbout() {
    return (await readClientInbox(clientMail())).filter(({ subject }) => subject?.includes(SUBJECT))
  }

  /** The posting and the reply, both as cards. */
  async function presentedCards(): Promise<[Card, Card] | undefined> {
    const folder = join(told().zones.local.vault, 'Pending_Approval/accounting')
    const names = await readdir(folder).catch(() => [])
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')))
    const cards = texts.flatMap((text, index): Card[] => {
      const parsed = parseTaskFile(text)
      return parsed.ok && parsed.task.front.presented ? [{ name: names[index] ?? '', task: parsed.task }] : []
    })
    const of = (tool: string) => cards.find(({ task }) => task.front.action?.tool === tool)
    const [posting, reply] = [of('odoo.post_invoice'), of('email.send_email')]
    return posting && reply && [posting, reply]
  }

  function approve(name: string): Promise<void> {
    const { vault } = told().zones.local
    return rename(join(vault, 'Pending_Approval/accounting', name), join(vault, 'Approved', name))
  }

  /** In the order in which the executor's ledger tells of them. */
  async function doneIds(): Promise<string[]> {
    const folder = join(told().zones.local.vault, 'Logs/local')
    const lines = (
      await Promise.all((await readdir(folder)).sort().map((name) => readFile(join(folder, name), 'utf8')))
    )
      .join('')
      .split('\n')
      .filter((line) => line.includes('"execution.done"'))
    return lines.map((line) => String((JSON.parse(line) as { task?: string }).task))
  }

  function moves(): Promise<Record<string, unknown>[]> {
    const domain = [['move_type', '=', 'out_invoice']]
    return call('account.move', 'search_read', { domain, fields: ['name', 'state', 'amount_total'] }, keys.admin)
  }

  /** As Odoo's own rendering leaves it, by the user who posts. */
  async function attachPdf(id: number): Promise<void> {
    const file = { name: 'INV.pdf', res_model: 'account.move', res_id: id, mimetype: 'application/pdf' }
    const values = { ...file, res_field: 'invoice_pdf_report_file', datas: PDF.toString('base64') }
    await call('ir.attachment', 'create', { vals_list: [values] }, keys.local)
  }

  async function call<T>(name: string, method: string, body: object, key: string): Promise<T> {
    const headers = { authorization: `bearer ${key}`, 'content-type': 'application/json' }
    const path = `/json/2/${name}/${method}`
    const { status, text } = await askSite(site, {
      path,
      method: 'POST',
      headers,
      body: Buffer.from(JSON.stringify(body)),
    })
    if (status !== 200) throw new Error(`${path}: ${status} ${text.slice(0, 500)}`)
    return JSON.parse(text) as T
  }
}

interface Card {
  readonly name: string
  readonly task: TaskFile
}

/** A database with the module of invoices, in place of the one that a first start makes in a minute. */
async function restoreDemo({ home, project }: ComposeZone): Promise<void> {
  const password = await readFile(join(home, 'secrets/odoo-db-password'), 'utf8')
  const script = 'createdb -T template0 countersign && gunzip -c /demo.sql.gz | psql -qAtX -1 -d countersign >/dev/null'
  const as = ['-e', 'PGHOST=odoo-db', '-e', 'PGUSER=odoo', '-e', `PGPASSWORD=${password}`]
  const network = ['--network', `${project}_books`]
  await docker('run', '--rm', ...network, ...as, '--entrypoint', 'bash', 'countersign/odoo-demo:19', '-c', script)
}

async function shell(cloud: ComposeZone, python: string): Promise<string> {
  const encoded = Buffer.from(python).toString('base64')
  const command = 'odoo shell -c /tmp/odoo.conf -d countersign --no-http 2>/tmp/shell.log || cat /tmp/shell.log'
  return cloud.exec('odoo', 'bash', '-c', `echo ${encoded} | base64 -d | ${command}`)
}

async function addSettings(file: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  await appendFile(file, lines.join(''))
}

async function giveTo(home: string, file: string): Promise<void> {
  const { uid, gid } = await stat(home)
  if (process.getuid?.() === 0) await chown(file, uid, gid)
}

/** `countersign --json … <args>` of the local image on the local home, in the place of a machine that knows the site by its name. */
async function inLocal<T>(local: ComposeZone, ...args: string[]): Promise<T> {
  const { uid, gid } = await stat(local.home)
  const { stdout: image } = await run('docker', [
    'inspect',
    '-f',
    '{{.Image}}',
    (await local.compose('ps', '-aq', 'sync')).trim(),
  ])
  const mounts = ['-v', `${local.home}:/zone`, '-e', 'NODE_EXTRA_CA_CERTS=/zone/odoo-ca.crt']
  const place = ['--network', `${local.project}_mail`, '--user', `${uid}:${gid}`, '--entrypoint', 'countersign']
  const { stdout } = await run('docker', ['run', '--rm', ...place, ...mounts, image.trim(), '--json', ...args])
  return JSON.parse(stdout) as T
}
