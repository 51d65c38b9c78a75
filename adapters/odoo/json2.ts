import type { CountersignError, ErrorCode } from '#core/errors.ts'
import type { OdooCall, OdooCalls } from './calls.ts'
import { ask, type HttpAnswer, type OdooAccount } from './http.ts'
import { isDatabaseFault, odooFault, saidLine, sayPage } from './odoo-fault.ts'

/** Odoo 19's /json/2. */
export function json2(account: OdooAccount): Omit<OdooCalls, 'version'> {
  const call = async (model: string, method: string, { ids, args, context }: OdooCall) => {
    const headers = { authorization: `bearer ${account.key()}`, 'x-odoo-database': account.database }
    return ask(account, { path: `/json/2/${model}/${method}`, headers, json: { ...args, ids, context } })
  }
  const read: OdooCalls['read'] = async (model, method, given) => {
    const answer = await call(model, method, given)
    if (isGood(answer)) return answer.json
    throw faultOf(account, `${model}.${method}`, answer)
  }
  return {
    read,
    async userId() {
      const context = (await read('res.users', 'context_get', {})) as { uid?: unknown } | null
      const uid = context?.uid
      if (typeof uid === 'number' && Number.isInteger(uid)) return uid
      throw odooFault('ERR_ODOO_UNREACHABLE', account.url, 'res.users.context_get', 'an answer of another shape')
    },
    async write(model, method, given) {
      const answer = await call(model, method, given)
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
  if (error) return !isDatabaseFault(error.name)
  return answer.status >= 300 && answer.status < 500 && answer.status !== 408
}

function faultOf(account: OdooAccount, doing: string, answer: HttpAnswer): CountersignError {
  const name = answer.kind === 'answer' ? errorOf(answer.json)?.name : undefined
  const status = answer.kind === 'answer' ? answer.status : 0
  return odooFault(codeOf(status, name), account.url, doing, sayAnswer(answer), { status })
}

function codeOf(status: number, name: string | undefined): ErrorCode {
  if (status === 401 || status === 403) return 'ERR_ODOO_AUTH'
  if (name === undefined || isDatabaseFault(name)) return 'ERR_ODOO_UNREACHABLE'
  // No such model or method: a module is missing.
  return name === 'werkzeug.exceptions.NotFound' ? 'ERR_ODOO_UNSUPPORTED' : 'ERR_ODOO_REFUSED'
}

function sayAnswer(answer: HttpAnswer): string {
  if (answer.kind !== 'answer') return answer.reason
  const error = errorOf(answer.json)
  if (error) return error.message
  if (answer.status === 404) return 'it has no such database, its database is down, or its module rpc is missing (404)'
  if (answer.status === 200) return 'an answer that is no JSON, or too long'
  return sayPage(answer.status)
}

/** An error of Odoo's own. */
function errorOf(json: unknown): { name: string; message: string } | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { name, message } = json as Record<string, unknown>
  if (typeof name !== 'string' || typeof message !== 'string') return undefined
  return { name, message: saidLine(message) || name }
}
