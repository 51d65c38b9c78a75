import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Certificate, makeCertificate } from './certificate.ts'
import {
  type BankFaults,
  type BankOrder,
  donePage,
  FORM_FIELDS,
  type Form,
  formPage,
  loginPage,
  ordersPage,
  page,
  refusedPage,
  reviewPage,
  waitingPage,
} from './pages.ts'

export interface DemoBank extends AsyncDisposable {
  /** `https://localhost:<port>` */
  readonly origin: string
  readonly certificate: Certificate
  readonly orders: BankOrder[]
  /** How many forms of an order were taken. */
  pressed: number
  /** The session ends with the browser. */
  sessionCookies: boolean
  faults: BankFaults
  /** Called with `GET /transfer` before each answer. */
  onRequest: (what: string) => unknown
  /** Every request, `GET /transfer`. */
  readonly requests: string[]
  /** What the person does in the app of the bank. */
  confirm(number?: string): void
  /** Everyone has to log in again. */
  logOut(): void
  /** Forgets orders, faults and whatever was counted. */
  reset(): void
}

export const BANK_USER = { user: 'olive', password: 'demonstration' } as const
/** The cookie of whoever is logged in: what a browser's profile keeps. */
const SESSION = 'bank_session'

/** A bank as people know them: log in, fill a form in, look at it again, order, confirm elsewhere. */
export async function startBank(certificate = makeCertificate()): Promise<DemoBank> {
  const sessions = new Set<string>()
  const drafts = new Map<string, Form>()
  let counter = 0

  const bank = {
    certificate,
    orders: [] as BankOrder[],
    pressed: 0,
    sessionCookies: false,
    faults: {} as BankFaults,
    onRequest: (_what: string): unknown => undefined,
    requests: [] as string[],
    confirm(number?: string) {
      for (const order of bank.orders) if (number === undefined || order.number === number) order.status = 'Carried out'
    },
    logOut: () => sessions.clear(),
    reset() {
      bank.orders.length = 0
      bank.requests.length = 0
      Object.assign(bank, { pressed: 0, faults: {}, onRequest: () => undefined })
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://localhost')
    const what = `${request.method} ${url.pathname}`
    bank.requests.push(what)
    const form = request.method === 'POST' ? new URLSearchParams(await bodyOf(request)) : new URLSearchParams()
    await bank.onRequest(what)
    const { faults } = bank
    if (faults.slowMs) await delay(faults.slowMs)
    const cookie = new RegExp(`${SESSION}=(\\w+)`).exec(request.headers.cookie ?? '')?.[1] ?? ''
    const html = (text: string) => response.setHeader('content-type', 'text/html; charset=utf-8').end(text)
    const to = (path: string) => response.writeHead(303, { location: path }).end()

    if (what === 'GET /favicon.ico') return void response.writeHead(404).end()
    if (what === 'GET /login') return void html(loginPage(faults))
    if (what === 'POST /login') {
      if (form.get('user') !== BANK_USER.user || form.get('password') !== BANK_USER.password) return void to('/login')
      const id = `s${++counter}`
      sessions.add(id)
      response.setHeader(
        'set-cookie',
        `${SESSION}=${id}; Path=/; Secure; HttpOnly; SameSite=Lax${bank.sessionCookies ? '' : '; Max-Age=86400'}`,
      )
      return void to('/home')
    }
    if (faults.sessionLost === 'before') sessions.delete(cookie)
    if (!sessions.has(cookie)) return void to('/login')
    switch (what) {
      case 'GET /home':
        return void html(page('Your accounts', '<p>Current account: 12.345,67 EUR</p>', faults))
      case 'GET /transfer':
        return void html(formPage(faults))
      case 'POST /transfer': {
        const draft = `d${++counter}`
        drafts.set(draft, Object.fromEntries(FORM_FIELDS.map((name) => [name, form.get(name) ?? ''])) as Form)
        return void to(`/review?draft=${draft}`)
      }
      case 'GET /review': {
        const draft = url.searchParams.get('draft') ?? ''
        const typed = drafts.get(draft)
        return void (typed ? html(reviewPage(draft, typed, faults)) : to('/transfer'))
      }
      case 'POST /order': {
        const draft = form.get('draft') ?? ''
        const typed = drafts.get(draft)
        // A form is taken once: browsers send it again by themselves when the connection broke before the answer.
        if (!typed) return void to('/transfer')
        bank.pressed++
        drafts.delete(draft)
        if (faults.sessionLost?.startsWith('on-order')) sessions.delete(cookie)
        if (faults.refuses) return void html(refusedPage(faults))
        const number = `N${String(++counter).padStart(6, '0')}`
        const status = faults.noSecondFactor ? 'Carried out' : 'Waiting for confirmation'
        const { date: _asked, ...rest } = typed
        const today = new Date().toISOString().slice(0, 10).split('-').reverse().join('.')
        if (faults.sessionLost !== 'on-order-dropped' && !faults.pretends)
          bank.orders.unshift({ number, date: today, ...rest, status })
        if (faults.silentAfterOrder) return void request.socket.destroy()
        if (faults.sessionLost) return void to('/login')
        return void to(`${faults.noSecondFactor || faults.pretends ? '/done' : '/confirm'}?order=${number}`)
      }
      case 'GET /confirm':
        return void html(waitingPage(url.searchParams.get('order') ?? '', faults))
      case 'GET /done':
        return void html(donePage(url.searchParams.get('order') ?? '', faults))
      case 'GET /orders':
        return void (faults.noList ? response.writeHead(503).end('later') : html(ordersPage(bank.orders, faults)))
      default:
        return void response.writeHead(404).end()
    }
  }

  const server = createHttpsServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  // A connection that is closed for idleness as the button is pressed loses the order, and is no test's subject here.
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(bank, {
    origin: `https://localhost:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}
