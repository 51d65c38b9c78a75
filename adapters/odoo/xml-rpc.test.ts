import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '#tests/support/mail.ts'
import {
  ODOO_DB,
  ODOO_KEY,
  ODOO_LOGIN,
  type OdooServer,
  startOdooServer,
  xmlRpcFault,
} from '#tests/support/odoo-server.ts'
import { odooCalls } from './odoo-calls.ts'
import { openOdoo } from './open-odoo.ts'
import { callXmlRpc } from './xml-rpc-call.ts'

let odoo: OdooServer
beforeEach(async () => {
  odoo = await startOdooServer({ version: 17 })
})
afterEach(() => odoo[Symbol.asyncDispose]())

const account = (changed: object = {}) => ({
  ...{ url: odoo.url, database: ODOO_DB, login: ODOO_LOGIN, key: () => ODOO_KEY },
  ...changed,
})
const traceback = (line: string) =>
  `Traceback (most recent call last):\n  File "/usr/lib/python3/dist-packages/odoo/service.py", line 1, in f\n    x()\n${line}\n`
const NONE = traceback('TypeError: cannot marshal None unless allow_none is enabled')
const LINE = { description: 'Work <b> & 5', quantity: '2', unit_price: '0.1', taxes: ['15'] }

describe('an Odoo 17', () => {
  test('takes a draft of the cloud, whose key it says can do nothing more', async () => {
    const books = openOdoo(account(), 'cloud')
    const order = { request_id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS', currency: 'EUR', lines: [LINE] }
    const made = await books.createDraft({ ...order, customer: { email: 'ana@acme.example' } })
    expect(made).toMatchObject({ kind: 'created', draft: { total: '0.23', link: /\/web#id=101&model=account\.move/ } })
    expect(odoo.created()).toMatchObject([{ move_type: 'out_invoice', partner_id: [11, 'Acme Ltd'] }])
    odoo.powers.add('account.payment')
    await expect(openOdoo(account(), 'cloud').getData({ about: 'taxes', limit: 1 })).rejects.toMatchObject({
      code: 'ERR_ZONE_FORBIDDEN',
      message: expect.stringContaining('record payments'),
    })
  })

  test.each<[string, object, string, RegExp]>([
    ['a wrong key, which is no fault there', { key: () => 'x' }, 'ERR_ODOO_AUTH', /knows no cloud with this key/],
    ['a wrong database', { database: 'other' }, 'ERR_ODOO_UNREACHABLE', /no such database/],
    ['no login', { login: undefined }, 'ERR_ODOO_UNSUPPORTED', /COUNTERSIGN_ODOO_LOGIN/],
  ])('says %s', async (_what, changed, code, message) => {
    const look = openOdoo(account(changed), 'local').getData({ about: 'taxes', limit: 1 })
    await expect(look).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('asks for the user’s id again with another key', async () => {
    let key = 'old'
    const calls = odooCalls(account({ key: () => key }))
    await expect(calls.userId()).rejects.toMatchObject({ code: 'ERR_ODOO_AUTH' })
    key = ODOO_KEY
    expect(await calls.userId()).toBe(5)
  })
})

describe('a call that changes something', () => {
  const write = (changed: object = {}) =>
    odooCalls(account(changed)).write('account.move', 'create', { args: { vals_list: [] } })

  test('that returned nothing was done', async () => {
    odoo.fail({ when: 'after', method: 'create', answer: xmlRpcFault(1, NONE) })
    expect(await write()).toEqual({ kind: 'done', value: undefined })
  })

  test.each<[string, Parameters<OdooServer['fail']>[0]['answer']]>([
    ['the connection broke', 'cut'],
    ['a proxy says 502', { status: 502, page: '<html><h1>Bad Gateway</h1></html>' }],
    ['the answer is no XML', { status: 200, page: 'ok' }],
    ['the answer is a page', { status: 200, page: '<html><h1>Hello</h1></html>' }],
    ['the answer is half an answer', { status: 200, page: '<?xml version="1.0"?><methodResponse><params><param>' }],
    [
      'the answer is too long',
      {
        status: 200,
        page: `<?xml version="1.0"?><methodResponse><params><param><value><string>${'x'.repeat(9_000_000)}`,
      },
    ],
    ['the database failed', xmlRpcFault(1, traceback('psycopg2.OperationalError: server closed the connection'))],
    ['the fault is one nobody knows', xmlRpcFault(1, traceback('TypeError: cannot marshal <class X> objects'))],
    ['the fault has a code that is none of Odoo’s', xmlRpcFault(-32_500, 'application error')],
    [
      'somebody wrote the words of None',
      xmlRpcFault(1, traceback('RuntimeError: TypeError: cannot marshal None unless allow_none is enabled')),
    ],
  ])('is not known to be done when %s', async (_why, answer) => {
    odoo.fail({ when: 'after', method: 'create', answer })
    expect(await write()).toMatchObject({ kind: 'unknown' })
  })

  test('nor when no answer comes, and its connection is closed', async () => {
    odoo.fail({ when: 'after', method: 'create', answer: 'hang' })
    expect(await write({ limitMs: 500 })).toEqual({ kind: 'unknown', reason: 'no answer within the time limit' })
    await eventually('the connection is closed', async () => (await odoo.connections()) === 0)
  })

  test.each<[string, number, string, string, RegExp]>([
    [
      'a rule of Odoo’s',
      2,
      'The entry is locked.\nSee there.',
      'ERR_ODOO_REFUSED',
      /The entry is locked\. See there\.$/,
    ],
    ['a right it lacks', 4, 'You are not allowed to create', 'ERR_ODOO_AUTH', /not allowed/],
    ['a wrong key', 3, 'Access Denied', 'ERR_ODOO_AUTH', /Access Denied/],
    [
      'a wrong field',
      1,
      traceback("ValueError: Invalid field 'x'"),
      'ERR_ODOO_REFUSED',
      /: ValueError: Invalid field 'x'$/,
    ],
    ['a model that is not there', 2, "Object account.x doesn't exist", 'ERR_ODOO_UNSUPPORTED', /account\.x/],
  ])('was surely not done after %s, and no traceback is shown', async (_why, code, text, expected, message) => {
    odoo.fail({ when: 'before', method: 'create', answer: xmlRpcFault(code, text) })
    const error = await write().catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: expected, message: expect.stringMatching(message) })
    expect(JSON.stringify(error)).not.toMatch(/Traceback|dist-packages/)
  })

  test('was surely not done when nobody is there', async () => {
    const calls = odooCalls(account())
    await calls.userId()
    await odoo[Symbol.asyncDispose]()
    await expect(calls.write('account.move', 'create', {})).rejects.toMatchObject({ code: 'ERR_ODOO_UNREACHABLE' })
  })
})

describe('what the package would send wrongly', () => {
  const call = (value: unknown) => callXmlRpc({ url: odoo.url }, '/xmlrpc/2/common', 'version', [value])

  test.each<[string, unknown, RegExp]>([
    ['a Date', new Date(), /a Date cannot be sent/],
    ['NaN', { a: [Number.NaN] }, /NaN cannot be sent/],
    ['undefined in a list', [undefined], /undefined cannot be sent/],
    ['a control character', 'a\u0000b', /cannot be said in XML/],
  ])('is not sent: %s', async (_what, value, reason) => {
    expect(await call(value)).toEqual({ kind: 'not-sent', reason: expect.stringMatching(reason) })
  })

  test('an undefined field is left out, not an empty text', async () => {
    const calls = odooCalls(account())
    const values = { name: 'N', email: undefined }
    await calls.write('res.partner', 'create', { args: { vals_list: [values] } })
    expect(odoo.tables['res.partner']?.at(-1)).not.toHaveProperty('email')
  })
})

describe('a server of another kind', () => {
  const servers: (Server | ReturnType<typeof createTcpServer>)[] = []
  afterEach(() => {
    for (const one of servers.splice(0)) one.close()
  })
  const callTo = async (server: Server | ReturnType<typeof createTcpServer>, limitMs = 2_000) => {
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return callXmlRpc({ url, limitMs }, '/xmlrpc/2/object', 'execute_kw', [])
  }

  test('that ends within its answer leaves the outcome open', async () => {
    const half = createTcpServer((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<?xml version="1.0"?><methodResp'),
      )
    })
    expect(await callTo(half)).toMatchObject({ kind: 'lost' })
  })

  test('that is no HTTP leaves it open', async () => {
    expect(await callTo(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')))).toMatchObject({ kind: 'lost' })
  })

  test('that answers without end is cut off', async () => {
    const endless = createServer((_request, response) => {
      response.writeHead(200)
      response.write('<methodResponse><params><param><value><string>')
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(40_000)));
      }
      response.on('drain', more)
      more()
    })
    expect(await callTo(endless, 20_000)).toEqual({ kind: 'lost', reason: 'an answer that is too long' })
  })

  test.each(['<fault/>', '<fault><value><nil/></value></fault>'])(
    'whose fault says nothing ends no process: %s',
    async (fault) => {
      const empty = createServer((_request, response) => response.end(`<methodResponse>${fault}</methodResponse>`))
      expect(await callTo(empty)).toEqual({ kind: 'page', status: 200 })
    },
  )

  test('at another address is not followed', async () => {
    const away = createServer((_request, response) =>
      response.writeHead(302, { location: odoo.url }).end('<p>there</p>'),
    )
    expect(await callTo(away)).toEqual({ kind: 'page', status: 302 })
    expect(odoo.calls).toEqual([])
  })
})
