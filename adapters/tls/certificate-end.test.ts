import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { certificateEnd } from './certificate-end.ts'
import { placesOf, watchCertificates, webPlace } from './watch-certificates.ts'

let folder: string
let shown: { key: Buffer; cert: Buffer }
let ends: number

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '9']
  execFileSync('openssl', [...made, '-subj', '/CN=mail.example.org'], { stdio: 'ignore' })
  const told = execFileSync('openssl', ['x509', '-enddate', '-noout', '-in', cert], { encoding: 'utf8' })
  ends = Date.parse(told.split('=')[1] ?? '')
  shown = { key: readFileSync(key), cert: readFileSync(cert) }
})
afterAll(() => rmSync(folder, { recursive: true }))

async function listening(server: Server): Promise<{ host: string; port: number }> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

/** A server that answers each line as told, and begins with TLS after the last answer. */
const talking = (greeting: string, answers: Readonly<Record<string, string>>) =>
  listening(
    createServer((socket: Socket) => {
      socket.on('error', () => {})
      socket.write(greeting)
      socket.on('data', (bytes) => {
        const answer = answers[bytes.toString().trim()]
        if (answer === undefined) return
        socket.write(answer)
        if (!bytes.toString().includes('STARTTLS')) return
        socket.removeAllListeners('data')
        new TLSSocket(socket, { isServer: true, ...shown }).on('error', () => {})
      })
    }),
  )

test('the end of a certificate is what the server shows, trusted or not', async () => {
  const place = await listening(createTlsServer(shown).on('tlsClientError', () => {}))
  expect(await certificateEnd(place)).toBe(ends)
})

test('a mail server shows its own when it is asked to in the words of its protocol', async () => {
  const imap = await talking('* OK ready\r\n', { 'a STARTTLS': 'a OK begin\r\n' })
  expect(await certificateEnd({ ...imap, by: 'imap' })).toBe(ends)
  const ehlo = { 'EHLO countersign.invalid': '250-mail\r\n250 STARTTLS\r\n', STARTTLS: '220 begin\r\n' }
  expect(await certificateEnd({ ...(await talking('220 mail\r\n', ehlo)), by: 'smtp' })).toBe(ends)
})

test('a server that refuses, says nothing, says too much or is not there shows none', async () => {
  const refusing = await talking('* OK ready\r\n', { 'a STARTTLS': 'a BAD no\r\n' })
  await expect(certificateEnd({ ...refusing, by: 'imap' })).rejects.toThrow('TLS was refused')
  const endless = await talking('x'.repeat(20_000), {})
  await expect(certificateEnd({ ...endless, by: 'smtp' })).rejects.toThrow('without end')
  const silent = await listening(createServer((socket) => void socket.on('error', () => {})))
  await expect(certificateEnd({ ...silent, by: 'imap' }, 100)).rejects.toThrow()
  await expect(certificateEnd(silent, 100)).rejects.toThrow()
  await expect(certificateEnd({ host: '127.0.0.1', port: 1 })).rejects.toThrow('ECONNREFUSED')
})

test('places are asked again: what was reached after the long time, what was not after the short one', async () => {
  const place = await listening(createTlsServer(shown).on('tlsClientError', () => {}))
  const away = await listening(createServer())
  const told: string[] = []
  using _watch = watchCertificates({ mailbox: place, odoo: { ...away, port: 1 } }, (of) => void told.push(of), 20, 10)
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(2))
  expect(new Set(told)).toEqual(new Set(['mailbox']))
})

test('an https address is a place, and no other', () => {
  const named = {
    a: webPlace('https://odoo.example.org/x'),
    b: webPlace('https://[::1]:8443'),
    c: webPlace('http://a'),
  }
  expect(placesOf(named)).toEqual({ a: { host: 'odoo.example.org', port: 443 }, b: { host: '::1', port: 8443 } })
})
