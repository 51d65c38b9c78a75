import { CountersignError, type ErrorCode } from '#core/errors.ts'
import type { OdooCall, OdooCalls } from './calls.ts'
import type { OdooAccount } from './http.ts'
import { isDatabaseFault, odooFault, saidLine, sayPage } from './odoo-fault.ts'
import { callXmlRpc, type XmlRpcAnswer } from './xml-rpc-call.ts'

/** The fault codes of Odoo's XML-RPC. */
const FAULT = { application: 1, warning: 2, accessDenied: 3, accessError: 4 } as const
/** The method was done and its work is committed; only what it returned, None, cannot be said in XML-RPC. */
const NONE = 'TypeError: cannot marshal None unless allow_none is enabled'
/** Errors of Python that end a method before its work is committed. */
const BEFORE_COMMIT = /^(?:ValueError|KeyError|AttributeError|IndexError|AssertionError|odoo\.[\w.]+)\b/

/** XML-RPC, for an Odoo without JSON-2. The key goes with every call, the user's id is asked for once for each key. */
export function xmlRpc(account: OdooAccount): Omit<OdooCalls, 'version'> {
  let known: { key: string; userId: number } | undefined
  const login = async (key: string): Promise<number> => {
    if (known?.key === key) return known.userId
    if (account.login === undefined)
      throw new CountersignError(
        'ERR_ODOO_UNSUPPORTED',
        `Odoo at ${account.url}: this version wants to know whose key it is; set COUNTERSIGN_ODOO_LOGIN`,
      )
    const answer = await callXmlRpc(account, '/xmlrpc/2/common', 'authenticate', [
      ...[account.database, account.login, key],
      {},
    ])
    if (answer.kind !== 'value') throw faultOf(account, 'authenticate', answer)
    // No fault: `false` is how it says no.
    if (typeof answer.value !== 'number')
      throw odooFault('ERR_ODOO_AUTH', account.url, 'authenticate', `it knows no ${account.login} with this key`)
    known = { key, userId: answer.value }
    return answer.value
  }
  const call = async (model: string, method: string, { ids, args = {}, context }: OdooCall) => {
    const key = account.key()
    const userId = await login(key)
    // Before 19, `create` looks for what it creates among the arguments that have no names.
    const { vals_list, ...named } = args
    const positional = [...(ids ? [ids] : []), ...(vals_list === undefined ? [] : [vals_list])]
    const given = [account.database, userId, key, model, method, positional, { ...named, ...(context && { context }) }]
    return callXmlRpc(account, '/xmlrpc/2/object', 'execute_kw', given)
  }
  return {
    userId: () => login(account.key()),
    async read(model, method, given) {
      const answer = await call(model, method, given)
      if (answer.kind === 'value') return answer.value
      throw faultOf(account, `${model}.${method}`, answer)
    },
    async write(model, method, given) {
      const answer = await call(model, method, given)
      if (answer.kind === 'value') return { kind: 'done', value: answer.value }
      if (answer.kind === 'fault' && lastLine(answer.text) === NONE) return { kind: 'done', value: undefined }
      if (isNo(answer)) throw faultOf(account, `${model}.${method}`, answer)
      return { kind: 'unknown', reason: sayAnswer(answer) }
    },
  }
}

/** A definite no, as for JSON-2. A fault after the commit would be one of what XML-RPC cannot carry. */
function isNo(answer: Exclude<XmlRpcAnswer, { kind: 'value' }>): boolean {
  switch (answer.kind) {
    case 'not-sent':
      return true
    case 'lost':
      return false
    case 'page':
      return answer.status >= 300 && answer.status < 500 && answer.status !== 408
    case 'fault':
      return answer.code !== FAULT.application || BEFORE_COMMIT.test(lastLine(answer.text))
  }
}

function faultOf(
  account: OdooAccount,
  doing: string,
  answer: Exclude<XmlRpcAnswer, { kind: 'value' }>,
): CountersignError {
  return odooFault(codeOf(answer), account.url, doing, sayAnswer(answer))
}

function codeOf(answer: Exclude<XmlRpcAnswer, { kind: 'value' }>): ErrorCode {
  if (answer.kind !== 'fault') return 'ERR_ODOO_UNREACHABLE'
  const line = lastLine(answer.text)
  if (answer.code === FAULT.accessDenied || answer.code === FAULT.accessError) return 'ERR_ODOO_AUTH'
  // No such model or method: a module is missing.
  if (/^Object \S+ doesn't exist$/.test(line) || /^AttributeError: The method .* does not exist/.test(line))
    return 'ERR_ODOO_UNSUPPORTED'
  return isDatabaseFault(line) ? 'ERR_ODOO_UNREACHABLE' : 'ERR_ODOO_REFUSED'
}

function sayAnswer(answer: Exclude<XmlRpcAnswer, { kind: 'value' }>): string {
  switch (answer.kind) {
    case 'fault':
      return sayFault(answer.code, answer.text)
    case 'page':
      if (answer.status === 404) return 'it has no XML-RPC at this address (404)'
      return answer.status === 200 ? 'an answer that is no XML-RPC' : sayPage(answer.status)
    default:
      return answer.reason
  }
}

function sayFault(code: number, text: string): string {
  const line = lastLine(text)
  if (/database "[^"]*" does not exist/.test(text)) return 'it has no such database'
  if (isDatabaseFault(line)) return 'its database is down'
  return saidLine(code === FAULT.application ? line : text) || `fault ${code}`
}

/** The line of a traceback that says what it was; the whole of a shorter text. */
function lastLine(text: string): string {
  return text.includes('Traceback (most recent call last)')
    ? (text.trim().split('\n').at(-1)?.trim() ?? '')
    : text.trim()
}
