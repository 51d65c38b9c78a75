import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createWeb, type RequestListener } from 'node:http'
import { createServer as createSecureWeb } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTls } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEgress } from '#adapters/egress/egress-proxy.ts'
import { IMAP_TIMINGS, withClient } from '#adapters/imap/connection.ts'
import { certificateEnd } from '#adapters/tls/certificate-end.ts'
import type { Reach } from '#core/egress-reach.ts'
import type { Egress } from '#core/ports/egress.ts'
import { makeCertificate } from '#tests/support/bank/certificate.ts'
import { type GmailEmulator, startGmailEmulator } from '#tests/support/gmail-emulator.ts'
import { imapAccount } from '#tests/support/mail.ts'
import { type MailContainer, startMailContainer } from '../../demo/mailbox/container.ts'

// What the cloud's services reach goes through the way out of their container: their real clients, to real servers and
// emulators, by the settings that compose.cloud.yml gives them. That nothing else leads out, tests/e2e/story.test.ts
// tries in containers.

const resources = new AsyncDisposableStack()
const home = mkdtempSync(join(tmpdir(), 'countersign-egress-'))
let egress: Egress
let mail: MailContainer
let gmail: GmailEmulator
let token: string
let opened: string[]
const places = { imaps: 0, starttls: 0, odoo: 0, model: 0, plain: 0, gmail: 0, other: 0 }
const certificate = makeCertificate()
const certFile = join(home, 'cert.pem')

beforeAll(async () => {
  writeFileSync(certFile, certificate.cert)
  mail = resources.use(await startMailContainer())
  gmail = resources.use(await startGmailEmulator())
  token = await gmail.tokenFile()
  places.gmail = Number(new URL(gmail.url).port)
  places.starttls = mail.imap.port
  const shown = { key: certificate.key, cert: certificate.cert }
  // The mail server of the tests has no port under TLS: this makes it one.
  const tls = createTls(shown, (socket) => {
    const server = connect(mail.imap)
    for (const one of [socket, server]) one.on('error', () => one.destroy())
    socket.pipe(server).pipe(socket)
  })
  const answer: RequestListener = (request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(request.url?.startsWith('/web/health') ? '{"status":"pass"}' : '{"data":[{"id":"small"}]}')
  }
  places.imaps = await listen(tls)
  places.odoo = await listen(createSecureWeb(shown, answer))
  places.model = await listen(createSecureWeb(shown, answer))
  places.plain = await listen(createWeb(answer))
  places.other = await listen(createSecureWeb(shown, answer))
  const { other: _other, ...listed } = places
  egress = resources.use(await startEgress({ ...way(Object.values(listed)), onAllowed: (one) => opened.push(one) }))
})
afterAll(async () => {
  await resources.disposeAsync()
  rmSync(home, { recursive: true })
})

function way(ports: readonly number[]) {
  opened = []
  const reach = ports.map((port): Reach => ({ host: 'localhost', port }))
  return { reach, host: '127.0.0.1', port: 0 }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  resources.defer(() => void server.close())
  return (server.address() as AddressInfo).port
}

const via = () => `127.0.0.1:${egress.port}`

test.each(['imaps', 'starttls'] as const)('a mailbox is read through it (%s)', async (name) => {
  const account = imapAccount(mail, 'owner', {
    ...{ host: 'localhost', port: places[name], via: via(), caPem: certificate.cert },
    tls: name === 'imaps' ? 'tls' : 'none',
  })
  const before = opened.length
  expect(
    await withClient(
      account,
      IMAP_TIMINGS,
      async (client) => (await client.status('INBOX', { messages: true })) && 'read',
    ),
  ).toBe('read')
  expect(opened.slice(before)).toEqual(['opened'])
  const elsewhere = withClient({ ...account, port: places.other }, IMAP_TIMINGS, async () => {})
  await expect(elsewhere).rejects.toMatchObject({ code: 'ERR_MAIL_UNREACHABLE' })
})

test('a certificate is looked at through it', async () => {
  const place = { host: 'localhost', port: places.odoo, via: via() }
  expect(await certificateEnd(place)).toBeGreaterThan(Date.now())
  await expect(certificateEnd({ ...place, port: places.other })).rejects.toThrow('the way out answered 403')
})

test('Gmail, models and Odoo are reached through it', async () => {
  const before = opened.length
  expect(await client(places)).toEqual({
    ...{ odoo: true, write: 'answer', gmail: 0 },
    models: [
      `openai at localhost:${places.model} answers and has small`,
      `openai at localhost:${places.plain} answers and has small`,
    ],
  })
  expect(opened.length - before).toBeGreaterThanOrEqual(5)
  expect(new Set(opened)).toEqual(new Set(['opened']))
})

test('what is not on its list is not reached, nothing was sent, and the words say so', async () => {
  const { other } = places
  const closed = 'the way out does not lead there (docs/egress.md)'
  expect(await client({ odoo: other, model: other, plain: other, gmail: other })).toEqual({
    ...{ odoo: closed, write: 'not-sent', models: [1, 2].map(() => expect.stringContaining(closed)) },
    gmail: expect.stringContaining('Gmail as owner@gmail.test'),
  })
})

/** What a process finds there that knows no other way: its clients, in an environment like the container's. */
async function client(at: { odoo: number; model: number; plain: number; gmail: number }): Promise<unknown> {
  const wanted = {
    ...{ odoo: `https://localhost:${at.odoo}`, gmail: `http://localhost:${at.gmail}`, token },
    models: [`https://localhost:${at.model}/v1`, `http://localhost:${at.plain}/v1`],
  }
  const proxy = `http://${via()}`
  const env = {
    ...{ PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: certFile },
    ...{ NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: '127.0.0.1' },
  }
  const program = join(import.meta.dirname, '../support/egress-client.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(wanted)], { env })
  return JSON.parse(stdout)
}
