import { CountersignError, type ErrorCode } from '#core/errors.ts'
import { ask, type HttpAnswer, type OdooAccount } from './http.ts'
import { assertJson2, odooVersion } from './version.ts'

/** Calls a method of a model; how (JSON-2 here) is the transport's. */
export interface OdooTransport {
  /** A call that changes nothing. Throws ERR_ODOO_*. */
  read(model: string, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown>
  /** A call that changes something, made once. Throws ERR_ODOO_* only where surely nothing was changed. */
  write(model: string, method: string, args: Readonly<Record<string, unknown>>): Promise<WriteAnswer>
}

export type WriteAnswer =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'unknown'; readonly reason: string }

const MAX_SAID_CHARS = 300

/** Odoo 19's /json/2. The version is asked for once, before the first call. */
export function json2(account: OdooAccount): OdooTransport {
  let checked = false
  const call = async (model: string, method: string, args: Readonly<Record<string, unknown>>) => {
    if (!checked) assertJson2(await odooVersion(account), account)
    checked = true
    const headers = { authorization: `bearer ${account.key()}`, 'x-odoo-database': account.database }
    return ask(account, { path: `/json/2/${model}/${method}`, headers, json: args })
  }
  return {
    async read(model, method, args) {
      const answer = await call(model, method, args)
      if (isGood(answer)) return answer.json
      throw faultOf(account, `${model}.${method}`, answer)
    },
    async write(model, method, args) {
      const answer = await call(model, method, args)
      if (isGood(answer)) return { kind: 'done', value: answer.json }
      if (isNo(answer)) throw faultOf(account, `${model}.${method}`, answer)
      return { kind: 'unknown', reason: sayAnswer(answer) }
    },
  }
}

function isGood(answer: HttpAnswer): answer is Extract<HttpAnswer, { kind: 'answer' }> {
  return answer.kind === 'answer' && answer.status === 200 && answer.json !== undefined
}

/**
 * A definite no: the request did not arrive, or Odoo itself answers with an error (its transaction is rolled back then),
 * or a page says that there is no such address. A server error of something in between says nothing, nor does a
 * database that fails: it may have been while it committed.
 */
function isNo(answer: HttpAnswer): boolean {
  if (answer.kind !== 'answer') return answer.kind === 'not-sent'
  const error = errorOf(answer.json)
  if (error) return !isDatabase(error.name)
  return answer.status >= 300 && answer.status < 500 && answer.status !== 408
}

function isDatabase(name: string): boolean {
  return name.startsWith('psycopg')
}

function faultOf(account: OdooAccount, doing: string, answer: HttpAnswer): CountersignError {
  const name = answer.kind === 'answer' ? errorOf(answer.json)?.name : undefined
  const status = answer.kind === 'answer' ? answer.status : 0
  return new CountersignError(codeOf(status, name), `Odoo at ${account.url}, ${doing}: ${sayAnswer(answer)}`, {
    details: { status },
  })
}

function codeOf(status: number, name: string | undefined): ErrorCode {
  if (status === 401 || status === 403) return 'ERR_ODOO_AUTH'
  if (name === undefined || isDatabase(name)) return 'ERR_ODOO_UNREACHABLE'
  // No such model or method: a module is missing.
  return name === 'werkzeug.exceptions.NotFound' ? 'ERR_ODOO_UNSUPPORTED' : 'ERR_ODOO_REFUSED'
}

function sayAnswer(answer: HttpAnswer): string {
  if (answer.kind !== 'answer') return answer.reason
  const error = errorOf(answer.json)
  if (error) return error.message
  if (answer.status === 404) return 'it has no such database, its database is down, or its module rpc is missing (404)'
  if (answer.status >= 300 && answer.status < 400) return `${answer.status}: it answers at another address`
  if (answer.status === 200) return 'an answer that is no JSON, or too long'
  return `${answer.status}`
}

/** What Odoo says about a failure, in one short line: never its traceback, nor where its files lie. */
function errorOf(json: unknown): { name: string; message: string } | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { name, message } = json as Record<string, unknown>
  if (typeof name !== 'string' || typeof message !== 'string') return undefined
  const lines = message.replace(/Traceback \(most recent call last\):[\s\S]*\n(?=\S)/, '').replace(/File "[^"]*"/g, '')
  return {
    name,
    message:
      lines
        .replace(/[\s\p{Cc}]+/gu, ' ')
        .trim()
        .slice(0, MAX_SAID_CHARS) || name,
  }
}
