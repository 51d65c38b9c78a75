import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const VERSION = '2.3000.0-stand-in'
export const ME = '4930900900@c.us'
export const ANNA = '4915123456789@c.us'
export const HIDDEN = '81234567890123@lid'
export const GROUP = '120363012345678901@g.us'

/** A message as the page holds it. */
export interface PageMessage {
  key: string
  chat: string
  fromMe: boolean
  /** Seconds. */
  t: number
  type: string
  body: string
  ack?: number
  notifyName?: string
  author?: string
  [more: string]: unknown
}

/** WhatsApp's servers and the telephone of the owner, as far as the page in `page.html` needs them. */
export interface StandIn extends AsyncDisposable {
  /** Where the client finds the page: `webVersionCache`. */
  readonly path: string
  readonly messages: PageMessage[]
  /** Every message that reached the server, in order: what was really sent. */
  readonly sent: PageMessage[]
  /** How often a page connected. */
  readonly visits: () => number
  /** Pages that are connected now. */
  readonly pages: () => number
  faults: { send?: string; noChat?: boolean }
  /** Set: the server keeps messages and confirms none. */
  isMute: boolean
  contacts: Record<string, boolean>
  numbers: Record<string, string>
  isLinked: boolean
  /** The owner scans the code. */
  scan(): void
  newCode(ref: string): void
  setState(state: string): void
  say(chat: string, body: string, more?: Partial<PageMessage>): PageMessage
  /** The owner writes by hand, on the telephone. */
  write(chat: string, body: string, more?: Partial<PageMessage>): PageMessage
  edit(message: PageMessage, body: string): void
  revoke(message: PageMessage): void
  confirm(key: string, ack: number): void
  logout(): void
  setFaults(faults: StandIn['faults']): void
  /** Resolves once the page has all that was said. */
  settled(): Promise<void>
  file(name: string, bytes: Buffer): void
}

export async function startStandIn(): Promise<StandIn> {
  const pages = new Set<ServerResponse>()
  const files = new Map<string, Buffer>()
  let visits = 0
  let counter = 0
  let serial = 0
  let applied = 0
  const tell = (event: object) => {
    serial++
    for (const page of pages) page.write(`data: ${JSON.stringify({ ...event, serial })}\n\n`)
  }
  const state = () => ({ state: standIn.isLinked ? 'CONNECTED' : 'UNPAIRED', hasSynced: standIn.isLinked })
  const add = (chat: string, body: string, fromMe: boolean, more: Partial<PageMessage>) => {
    const id = `3A${String(++counter).padStart(18, '0')}`
    const message: PageMessage = {
      ...{
        key: `${fromMe}_${chat}_${id}`,
        chat,
        fromMe,
        t: Math.floor(Date.now() / 1000),
        type: 'chat',
        body,
        ack: fromMe ? 1 : 0,
      },
      ...more,
    }
    standIn.messages.push(message)
    tell({ kind: 'message', ...message })
    return message
  }
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-private-network', 'true')
    if (request.method === 'OPTIONS') return void response.end()
    if (request.url === '/events') {
      visits++
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      pages.add(response)
      response.on('close', () => pages.delete(response))
      const { contacts, numbers, faults, messages } = standIn
      response.write(
        `data: ${JSON.stringify({ kind: 'hello', me: ME, contacts, numbers, faults, messages, ...state() })}\n\n`,
      )
      return
    }
    const file = files.get(request.url ?? '')
    if (file) return void response.end(file)
    let text = ''
    for await (const chunk of request) text += chunk
    const body = JSON.parse(text || '{}')
    if (request.url === '/sent') {
      standIn.sent.push(body)
      standIn.messages.push(body)
      if (!standIn.isMute) setTimeout(() => standIn.confirm(body.key, 1), 30)
    }
    if (request.url === '/logout') standIn.logout()
    if (request.url === '/applied') applied = Math.max(applied, Number(body.serial))
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const path = mkdtempSync(join(tmpdir(), 'countersign-whatsapp-page-'))
  mkdirSync(path, { recursive: true })
  const html = readFileSync(join(import.meta.dirname, 'page.html'), 'utf8')
  writeFileSync(join(path, `${VERSION}.html`), html.replace('__SERVER__', `http://127.0.0.1:${port}`))
  const standIn: StandIn = {
    ...{ path, messages: [], sent: [], visits: () => visits, pages: () => pages.size },
    ...{ faults: {}, isMute: false, contacts: {}, numbers: {}, isLinked: false },
    scan() {
      standIn.isLinked = true
      tell({ kind: 'state', ...state() })
    },
    newCode: (ref) => tell({ kind: 'ref', ref }),
    setState: (next) => tell({ kind: 'state', state: next, hasSynced: false }),
    say: (chat, body, more = {}) => add(chat, body, false, { notifyName: 'Anna', ...more }),
    write: (chat, body, more = {}) => add(chat, body, true, more),
    edit(message, body) {
      Object.assign(message, { body, latestEditSenderTimestampMs: Date.now(), latestEditMsgKey: { id: 'edit' } })
      tell({ kind: 'message', ...message })
    },
    revoke(message) {
      Object.assign(message, { type: 'revoked', body: '' })
      tell({ kind: 'message', ...message })
    },
    confirm(key, ack) {
      const message = standIn.messages.find((one) => one.key === key)
      if (!message) return
      message.ack = ack
      tell({ kind: 'message', ...message })
    },
    logout() {
      standIn.isLinked = false
      tell({ kind: 'logout' })
    },
    setFaults(faults) {
      standIn.faults = faults
      tell({ kind: 'faults', ...faults })
    },
    async settled() {
      while (applied < serial && pages.size > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    },
    file: (name, bytes) => void files.set(name, bytes),
    async [Symbol.asyncDispose]() {
      for (const page of pages) page.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(path, { recursive: true, force: true })
    },
  }
  return standIn
}
