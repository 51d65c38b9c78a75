import { type Socket, connect as tcpConnect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import xmlrpc from 'xmlrpc'
import Deserializer from 'xmlrpc/lib/deserializer.js'
import { sayNoAnswer } from '#core/http-answer.ts'
import type { OdooAccount } from './http.ts'

export type XmlRpcAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  /** A fault of the protocol: `code` is Odoo's kind of error, `text` may be a traceback. */
  | { readonly kind: 'fault'; readonly code: number; readonly text: string }
  /** Something else answered: a page, or XML of another kind. */
  | { readonly kind: 'page'; readonly status: number }
  /** Surely nothing of the request reached the server. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** The request went out, at least in part, and no whole answer came. */
  | { readonly kind: 'lost'; readonly reason: string }

const { prototype } = Deserializer
const { onDone } = prototype
/** The package reads the fields of a fault that has none, and what it throws then nobody could catch: it would end the process. */
prototype.onDone = function () {
  if (this.responseType === 'fault') this.stack[0] ??= {}
  onDone.call(this)
}

const LIMIT_MS = 30_000
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

/**
 * One call, one answer. The package has no time limit, no limit of size and no way to end a request: so the connection is
 * ours, watched, and closed when the call is over, however it ended. Never throws.
 */
export async function callXmlRpc(
  account: Pick<OdooAccount, 'url' | 'limitMs'>,
  path: string,
  method: string,
  params: readonly unknown[],
): Promise<XmlRpcAnswer> {
  const url = new URL(account.url)
  const isSecure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (isSecure ? 443 : 80))
  let plain: unknown[]
  try {
    plain = params.map(asXmlRpc)
  } catch (error) {
    return { kind: 'not-sent', reason: (error as Error).message }
  }
  const { promise, resolve } = Promise.withResolvers<XmlRpcAnswer>()
  const socket = isSecure ? tlsConnect({ host, port, servername: serverName(host) }) : tcpConnect({ host, port })
  let isOpen = false
  socket.once(isSecure ? 'secureConnect' : 'connect', () => {
    isOpen = true
  })
  const fail = (reason: string) => resolve({ kind: isOpen ? 'lost' : 'not-sent', reason })
  countBytes(socket, () => fail('an answer that is too long'))
  const timer = setTimeout(() => fail('no answer within the time limit'), account.limitMs ?? LIMIT_MS)
  const create = isSecure ? xmlrpc.createSecureClient : xmlrpc.createClient
  // `createConnection` is handed on to Node's http as it is.
  const options = { host, port, path, headers: { Connection: 'close' }, createConnection: () => socket }
  try {
    create(options).methodCall(method, plain, (error: unknown, value: unknown) => {
      if (!error) resolve({ kind: 'value', value })
      else resolve(readError(error) ?? { kind: isOpen ? 'lost' : 'not-sent', reason: sayNoAnswer(error) })
    })
  } catch (error) {
    // Nothing is written before the whole call is put into XML.
    resolve({ kind: 'not-sent', reason: `it cannot be said in XML: ${(error as Error).message.slice(0, 200)}` })
  }
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.on('error', () => {}) // it is told above what is wrong with it
    socket.destroy()
  }
}

/** A fault or a page; undefined where the connection failed. */
function readError(error: unknown): XmlRpcAnswer | undefined {
  const { faultCode, faultString, res, code } = error as {
    faultCode?: unknown
    faultString?: unknown
    res?: { statusCode?: number; complete?: boolean }
    code?: unknown
  }
  if (faultCode !== undefined) return { kind: 'fault', code: Number(faultCode), text: String(faultString ?? '') }
  // Half an answer: the connection ended within it.
  if (res === undefined || code === 'ECONNRESET') return undefined
  const status = res.statusCode ?? 0
  return status === 404 || res.complete ? { kind: 'page', status } : undefined
}

function countBytes(socket: Socket, tooMany: () => void): void {
  let count = 0
  socket.on('data', (chunk: Uint8Array) => {
    count += chunk.length
    if (count > MAX_ANSWER_BYTES) tooMany()
  })
}

function serverName(host: string): string {
  // An address is no server name.
  return /^[\d.]+$|:/.test(host) ? '' : host
}

/**
 * The package sends `undefined` as an empty string, a Date without its zone, and what is no number as words: none of them gets
 * that far. Throws a TypeError.
 */
function asXmlRpc(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return value.map(asXmlRpc)
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([name, one]) => [name, asXmlRpc(one)]),
    )
  const what = value instanceof Date ? 'a Date' : Number.isNaN(value) ? 'NaN' : typeof value
  throw new TypeError(`${what} cannot be sent by XML-RPC`)
}
