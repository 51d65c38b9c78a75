import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import deserializer from 'xmlrpc/lib/deserializer.js'
import serializer from 'xmlrpc/lib/serializer.js'
import { GUARD_SAYS } from '#adapters/odoo/drafts-only.ts'

type Row = Record<string, unknown>
type Answer = { status: number; json?: unknown; page?: string; headers?: Record<string, string> } | 'hang' | 'cut'

/** What the server does instead of answering by its rules: `before` nothing was done, `after` it was. */
export interface Fault {
  readonly when: 'before' | 'after'
  readonly method: string
  readonly answer: Answer
}

export const ODOO_KEY = 'k'.repeat(40)
export const ODOO_DB = 'books'
export const ODOO_LOGIN = 'cloud'

/**
 * Odoo as it was seen to answer, on a few tables: search_read, and create of account.move and res.partner; by JSON-2 as
 * version 19, by XML-RPC before.
 */
export async function startOdooServer(options: { version?: number } = {}) {
  const tables: Record<string, Row[]> = {
    'res.partner': [
      { id: 11, name: 'Acme Ltd', email: 'ana@acme.example', vat: false, country_id: [233, 'United States'] },
      { id: 12, name: 'Twin GmbH', email: 'a@twin.example' },
      { id: 13, name: 'Twin GmbH', email: 'b@twin.example' },
      { id: 14, name: '100%_Pure', email: 'Info@Pure.example' },
    ],
    'res.currency': [
      { id: 1, name: 'EUR', decimal_places: 2 },
      { id: 2, name: 'USD', decimal_places: 2 },
    ],
    'product.product': [
      { id: 31, name: 'Workshop', display_name: '[W1] Workshop', default_code: 'W1', list_price: 900 },
    ],
    'account.tax': [
      { id: 1, name: '15%', amount: 15, amount_type: 'percent', price_include: false, type_tax_use: 'sale' },
      { id: 2, name: '15% in', amount: 15, amount_type: 'percent', price_include: true, type_tax_use: 'sale' },
      { id: 3, name: '15% bought', amount: 15, amount_type: 'percent', price_include: false, type_tax_use: 'purchase' },
      { id: 4, name: '7% A', amount: 7, amount_type: 'percent', price_include: false, type_tax_use: 'sale' },
      { id: 5, name: '7% B', amount: 7, amount_type: 'percent', price_include: false, type_tax_use: 'sale' },
    ],
    'account.move': [],
    'account.move.line': [],
  }
  /** Groups and models that the key's user has, besides those of a draft-only one; `no guard`: Odoo has none. */
  const powers = new Set<string>()
  /** Fields of account.move that were added to it. */
  const fields: string[] = []
  const faults: Fault[] = []
  const calls: { path: string; body: Row }[] = []
  const version = options.version ?? 19

  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += chunk
    const given = version < 19 ? await readXmlRpc(request, text) : undefined
    const path = given?.path ?? request.url ?? ''
    const isProbe = isGuardProbe((given?.params[5] as unknown[] | undefined)?.[0] ?? parsed(text).vals_list)
    const method = isProbe ? 'probe' : (path.split('/').at(-1) ?? '')
    const fault = faults.findIndex((one) => one.method === method)
    const [due] = fault < 0 ? [] : faults.splice(fault, 1)
    const usual = due?.when === 'before' ? undefined : given ? answerXmlRpc(given) : answerOf(request, path, text)
    const answer = due?.answer ?? usual ?? 'cut'
    if (answer === 'hang') return
    if (answer === 'cut') return void response.destroy()
    const isPage = answer.page !== undefined
    response.writeHead(answer.status, {
      ...{
        'content-type': isPage
          ? given && !answer.page?.startsWith('<!')
            ? 'text/xml'
            : 'text/html; charset=utf-8'
          : 'application/json; charset=utf-8',
      },
      ...answer.headers,
    })
    response.end(isPage ? answer.page : JSON.stringify(answer.json))
  }

  function answerXmlRpc({ path, method, params }: XmlRpcCall): Answer {
    const [database, user, key, model = '', called = '', args = [], named = {}] = params as [
      ...[string, unknown, string, string?, string?, unknown[]?, Row?],
    ]
    const asValue = (value: unknown) => ({ status: 200, page: serializer.serializeMethodResponse(value) })
    if (database !== ODOO_DB)
      return xmlRpcFault(
        1,
        `Traceback (most recent call last):\n  File "/x.py"\npsycopg2.OperationalError: database "${database}" does not exist\n`,
      )
    if (method === 'authenticate') return asValue(user === ODOO_LOGIN && key === ODOO_KEY ? 5 : false)
    if (user !== 5 || key !== ODOO_KEY) return xmlRpcFault(3, 'Access Denied')
    const [vals_list] = args
    const body = called === 'create' ? { vals_list, ...named } : { ...(args.length > 0 && { ids: args[0] }), ...named }
    const { status, json } = answerCall(model, called, body, path)
    if (status === 200) return asValue(json)
    const { message } = json as { message: string }
    return xmlRpcFault(
      status === 404 || status === 422 ? 2 : 1,
      status === 404 ? `Object ${model} doesn't exist` : message,
    )
  }

  function answerOf(request: IncomingMessage, path: string, text: string): Answer {
    const info = [version, 0, 0, 'final', 0, '']
    if (path === '/web/version' && version >= 19)
      return { status: 200, json: { version_info: info, version: `${version}.0` } }
    if (path === '/web/webclient/version_info')
      return { status: 200, json: { jsonrpc: '2.0', id: null, result: { server_version_info: info } } }
    const call = /^\/json\/2\/([a-z.]+)\/([a-z_]+)$/.exec(path)
    if (!call || version < 19 || request.headers['x-odoo-database'] !== ODOO_DB)
      return { status: 404, page: '<!DOCTYPE html>\n<title>404 Not Found</title>\n<p>No database is selected</p>' }
    if (request.headers.authorization !== `bearer ${ODOO_KEY}`)
      return { status: 401, json: odooError('werkzeug.exceptions.Unauthorized', 'Invalid apikey') }
    const [, model = '', method = ''] = call
    return answerCall(model, method, JSON.parse(text) as Row, path)
  }

  function answerCall(model: string, method: string, body: Row, path: string): Exclude<Answer, string> {
    if (method === 'context_get') return { status: 200, json: { lang: 'en_US', tz: false, uid: 5 } }
    const asked = method === 'has_group' ? body.group_ext_id : model
    if (['has_group', 'has_access', 'check_access_rights'].includes(method))
      return { status: 200, json: powers.has(String(asked)) }
    const rows = tables[model]
    if (!rows)
      return { status: 404, json: odooError('werkzeug.exceptions.NotFound', `the model '${model}' does not exist`) }
    const isProbe = isGuardProbe(body.vals_list)
    if (isProbe && !powers.has('no guard'))
      return { status: 422, json: odooError('odoo.exceptions.UserError', `${GUARD_SAYS}narration of ${model}`) }
    calls.push({ path, body })
    if (isProbe || method === 'unlink') return { status: 200, json: isProbe ? [99] : true }
    if (method === 'search_read') return { status: 200, json: search(rows, body) }
    if (method === 'fields_get')
      return { status: 200, json: Object.fromEntries(fields.map((one) => [one, { type: 'char' }])) }
    if (method === 'create' && model === 'account.move') return { status: 200, json: create(body.vals_list as Row[]) }
    if (method === 'create') return { status: 200, json: (body.vals_list as Row[]).map((one) => add(model, one)) }
    return {
      status: 404,
      json: odooError('werkzeug.exceptions.NotFound', `The method '${model}.${method}' does not exist`),
    }
  }

  function add(model: string, row: Row): number {
    const id = 201 + (tables[model]?.length ?? 0)
    tables[model]?.push({ id, ...row })
    return id
  }

  function create(values: Row[]): number[] {
    return values.map((one) => {
      const lines = (one.invoice_line_ids as [number, number, Row][]).map(([, , line]) => line)
      const net = lines.reduce((sum, line) => sum + cents(line), 0)
      const tax = lines.reduce((sum, line) => sum + lineTax(line), 0)
      const id = 101 + (tables['account.move']?.length ?? 0)
      const named = (model: string, wanted: unknown) => {
        const found = tables[model]?.find((row) => row.id === wanted)
        return found ? [found.id, found.name] : false
      }
      tables['account.move']?.push({
        ...one,
        ...{
          id,
          name: false,
          state: 'draft',
          payment_state: 'not_paid',
          invoice_date: false,
          journal_id: [1, 'Sales'],
        },
        ...{ partner_id: named('res.partner', one.partner_id), currency_id: named('res.currency', one.currency_id) },
        ...{ amount_untaxed: net / 100, amount_tax: tax / 100, amount_total: (net + tax) / 100 },
        amount_residual: (net + tax) / 100,
      })
      for (const line of lines)
        add('account.move.line', {
          ...{ move_id: [id, 'Draft'], display_type: 'product', name: line.name, discount: 0 },
          ...{ quantity: line.quantity, price_unit: line.price_unit, price_subtotal: cents(line) / 100 },
          ...{ tax_ids: (line.tax_ids as [number, number, number[]][])[0]?.[2] ?? [], account_id: [4, 'Sales'] },
        })
      return id
    })
  }

  const cents = (line: Row) => Math.round(Number(line.quantity) * Number(line.price_unit) * 100)
  const lineTax = (line: Row) => {
    const ids = (line.tax_ids as [number, number, number[]][])[0]?.[2] ?? []
    const rates = (tables['account.tax'] ?? []).filter((tax) => ids.includes(tax.id as number))
    return Math.round(rates.reduce((sum, tax) => sum + (cents(line) * Number(tax.amount)) / 100, 0))
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tables,
    powers,
    fields,
    calls,
    fail: (fault: Fault) => void faults.push(fault),
    /** How many clients are connected. */
    connections: () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count))),
    created: () => tables['account.move'] ?? [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}
export type OdooServer = Awaited<ReturnType<typeof startOdooServer>>

/** A call of XML-RPC; `path` as JSON-2 would have it. */
interface XmlRpcCall {
  readonly path: string
  readonly method: string
  readonly params: readonly unknown[]
}

async function readXmlRpc(request: IncomingMessage, text: string): Promise<XmlRpcCall | undefined> {
  if (!request.url?.startsWith('/xmlrpc/2/')) return undefined
  const [method, params] = await new Promise<[string, unknown[]]>((resolve, reject) =>
    new deserializer().deserializeMethodCall(Readable.from([text]), (error: unknown, name: string, given: unknown[]) =>
      error ? reject(error) : resolve([name, given]),
    ),
  )
  const [, , , model, called] = params
  return { path: method === 'execute_kw' ? `/json/2/${model}/${called}` : request.url, method, params }
}

/** What Odoo answers with `text` as the string of the fault. */
export function xmlRpcFault(faultCode: number, faultString: string): Exclude<Answer, string> {
  return { status: 200, page: serializer.serializeFault({ faultCode, faultString }) }
}

/** An error as Odoo 19 sends it, traceback included. */
export function odooError(name: string, message: string): Row {
  const debug = 'Traceback (most recent call last):\n  File "/usr/lib/python3/dist-packages/odoo/http.py", line 2273'
  return { name, message, arguments: [message], context: {}, debug }
}

/** What the cloud asks for, to see the guard refuse it; in faults its method is `probe`. */
function isGuardProbe(values: unknown): boolean {
  return Array.isArray(values) && values.some((one) => typeof one === 'object' && one !== null && 'narration' in one)
}

function parsed(text: string): Row {
  try {
    return JSON.parse(text) as Row
  } catch {
    return {}
  }
}

function search(rows: readonly Row[], body: Row): Row[] {
  const domain = (body.domain ?? []) as [string, string, unknown][]
  const fields = (body.fields ?? []) as string[]
  const found = rows.filter((row) => domain.every((condition) => fits(row, condition)))
  return found
    .slice(0, Number(body.limit ?? 80))
    .map((row) => Object.fromEntries(['id', ...fields].map((field) => [field, row[field] ?? false])))
}

function fits(row: Row, [field, operator, wanted]: [string, string, unknown]): boolean {
  const raw = field === 'email_normalized' ? String(row.email).toLowerCase() : row[field]
  const value = Array.isArray(raw) ? raw[0] : raw
  if (operator === '=') return value === wanted
  if (operator === '!=') return value !== wanted
  if (operator === 'in') return (wanted as unknown[]).includes(value)
  const pattern = String(wanted).replace(/\\?[%_]|\\\\|[.*+?^${}()|[\]]/g, (sign) => PATTERN[sign] ?? `\\${sign}`)
  return new RegExp(operator === '=ilike' ? `^${pattern}$` : pattern, 'i').test(String(value))
}

const PATTERN: Readonly<Record<string, string>> = {
  ...{ '%': '.*', _: '.', '\\%': '%', '\\_': '_', '\\\\': '\\\\' },
}
