import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { actionDigest } from '#core/action.ts'
import { audienceOf, type Receipt, signReceipt } from '#core/countersignature.ts'
import { makeTaskId } from '#core/ids.ts'
import type { SendMessageAction } from '#core/whatsapp-action.ts'
import { findSent, messageKey } from '#core/whatsapp-message.ts'
import { CHROMIUM, makeWhatsAppHome, until, type WhatsAppHome } from '#tests/support/whatsapp/service.ts'
import { ANNA, GROUP, HIDDEN, ME, type StandIn, startStandIn } from '#tests/support/whatsapp/stand-in.ts'

// The real whatsapp-web.js in a real Chromium, in the real service, on a page that stands in for WhatsApp's own.

const hasChromium = existsSync(CHROMIUM)
if (!hasChromium && process.env.CI) throw new Error('the tests of WhatsApp need /usr/bin/chromium')
beforeEach((context) => {
  if (!hasChromium) context.skip()
})

let standIn: StandIn
let home: WhatsAppHome
let key: KeyObject
beforeAll(async () => {
  if (!hasChromium) return
  standIn = await startStandIn()
  home = await makeWhatsAppHome(standIn)
  key = await readPrivateKey(join(home.keys, 'countersign.pem'))
  await home.start()
}, 60_000)
afterAll(async () => {
  await home?.[Symbol.asyncDispose]()
  await standIn?.[Symbol.asyncDispose]()
})

const changes = async (after = 0) => (await home.remote.changesAfter(after)).map(({ message }) => message)
const arrived = async (count: number) => {
  await until(`${count} changes`, async () => (await changes()).length >= count)
  return changes()
}
let serial = 0
const TO_ANNA: SendMessageAction = {
  tool: 'whatsapp.send_message',
  chat: ANNA,
  number: '+4915123456789',
  body: 'Hello',
}
function receiptFor(action: SendMessageAction, changed: Partial<Receipt> = {}): Receipt {
  const seed = Buffer.alloc(10)
  seed.writeUInt32BE(++serial, 6)
  return signReceipt(
    {
      audience: audienceOf(createPublicKey(key)),
      task: makeTaskId(Date.now(), seed),
      tool: action.tool,
      digest: actionDigest(action),
      nonce: randomBytes(16).toString('hex'),
      issued_at: new Date().toISOString(),
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
      ...changed,
    },
    key,
  )
}
/** The machine sends no two messages at once. */
const paced = () => until('the pace', async () => (await home.remote.status()).next_send_at <= Date.now())
const send = async (action: SendMessageAction, receipt = receiptFor(action)) => {
  await paced()
  return home.remote.send(action, receipt)
}

test('nothing runs and no code is shown until a person asks; then the code is scanned, and the session is ready', async () => {
  expect(await home.remote.status()).toMatchObject({ state: 'logged-out', newest: 0 })
  expect([standIn.visits(), home.browsers()]).toEqual([0, []])
  await home.remote.login()
  await home.state('qr')
  const { code, page = '' } = await home.remote.loginState()
  expect(code).toMatch(/^first-ref,/)
  const [html, picture] = [await fetch(page), await fetch(`${page}.png`)]
  expect(await html.text()).toContain('Linked devices')
  expect([...new Uint8Array(await picture.arrayBuffer()).slice(1, 4)]).toEqual([...Buffer.from('PNG')])
  for (const answer of [html, picture]) expect(answer.headers.get('cache-control')).toBe('no-store')
  standIn.newCode('second-ref')
  await until('the next code', async () => (await home.remote.loginState()).code?.startsWith('second-ref') ?? false)
  standIn.scan()
  await home.state('ready')
  expect((await home.remote.loginState()).code).toBeUndefined()
  expect((await fetch(`${page}.png`)).status).toBe(404)
  expect((await home.remote.status()).own).toBe(`+${ME.split('@')[0]}`)
  expect((await fetch(`${home.health}/readyz`)).status).toBe(200)
  expect(await (await fetch(`${home.health}/metrics`)).text()).toMatch(
    /^countersign_whatsapp_session\{.*state="ready".*\} 1$/m,
  )
  // Whoever can read this folder can write as the owner.
  expect([home.folder, join(home.folder, 'token')].map((path) => statSync(path).mode & 0o077)).toEqual([0, 0])
})

describe('what comes', () => {
  test('is taken in as it stands, edited and deleted, each once; groups and what nobody wrote are not', async () => {
    standIn.say(GROUP, 'who is in?', { author: '4917000000001@c.us' })
    standIn.say('status@broadcast', 'my holidays')
    standIn.say(ANNA, '', { type: 'e2e_notification' })
    const asked = standIn.say(ANNA, 'Is it open on Monday? \u202egnp.exe')
    await arrived(1)
    standIn.edit(asked, 'Is it open on Tuesday?')
    await arrived(2)
    standIn.revoke(asked)
    const all = await arrived(3)
    expect(all.map(({ chat, body, state, number, name }) => [chat, body, state, number, name])).toEqual([
      [ANNA, 'Is it open on Monday? \u202egnp.exe', 'whole', '+4915123456789', 'Anna'],
      [ANNA, 'Is it open on Tuesday?', 'edited', '+4915123456789', 'Anna'],
      [ANNA, '', 'deleted', '+4915123456789', 'Anna'],
    ])
    expect(new Set(all.map(messageKey)).size).toBe(3)
  })

  test('comes with the number behind a hidden id where WhatsApp tells it', async () => {
    const before = (await changes()).length
    standIn.say(HIDDEN, 'hi', { notifyName: 'Ben' })
    expect((await arrived(before + 1)).at(-1)).toMatchObject({ chat: HIDDEN, name: 'Ben' })
  })

  test('brings its files under their digest; one that is too large stays on the telephone', async () => {
    const before = (await changes()).length
    const bytes = Buffer.from('%PDF-1.4 a bill')
    standIn.file('/media/1', bytes)
    const media = { type: 'document', directPath: '/media/1', mimetype: 'application/pdf', filename: 'bill.pdf' }
    standIn.say(ANNA, '', { ...media, size: bytes.length, caption: 'our bill' })
    standIn.say(ANNA, '', { ...media, size: 20_000_000 })
    const [small, large] = (await arrived(before + 2)).slice(-2)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(small).toMatchObject({ body: 'our bill', media: { type: 'application/pdf', name: 'bill.pdf', sha256 } })
    expect(readFileSync(join(home.folder, 'media', sha256))).toEqual(bytes)
    expect(large?.media).toMatchObject({ size: 20_000_000, missing: expect.stringContaining('too large') })
    expect(readdirSync(join(home.folder, 'media'))).toEqual([sha256])
  })
})

describe('an approved message', () => {
  test('is sent once, and found again by its task', async () => {
    const receipt = receiptFor(TO_ANNA)
    const since = Date.now()
    expect(await send(TO_ANNA, receipt)).toMatchObject({ outcome: 'accepted', key: receipt.task })
    // The same call once more: Redis, a proxy or a program that repeats itself.
    expect(await send(TO_ANNA, receipt)).toMatchObject({ outcome: 'refused', reason: 'receipt-spent' })
    expect(standIn.sent.map(({ chat, body }) => [chat, body])).toEqual([[ANNA, 'Hello']])
    const found = findSent(await home.remote.messagesOf(ANNA), { task: receipt.task, body: 'Hello', since })
    expect(found).toMatchObject({ task: receipt.task, ack: 1 })
  })

  test.each<[string, (action: SendMessageAction) => Receipt | undefined]>([
    ['receipt-missing', () => undefined],
    ['receipt-digest', (action) => receiptFor({ ...action, body: 'Something else' })],
    ['receipt-digest', (action) => receiptFor({ ...action, chat: '4917000000001@c.us', number: '+4917000000001' })],
    ['receipt-expired', (action) => receiptFor(action, { expires_at: new Date(Date.now() - 1).toISOString() })],
    ['receipt-signature', (action) => ({ ...receiptFor(action), signature: receiptFor(action).signature })],
  ])('is refused by the service itself without a good countersignature: %s', async (rule, receiptOf) => {
    const before = standIn.sent.length
    const answer = await home.remote.send(TO_ANNA, receiptOf(TO_ANNA) as Receipt)
    expect(answer).toMatchObject({ outcome: 'refused', code: 'ERR_COUNTERSIGNATURE_INVALID', reason: rule })
    expect(standIn.sent).toHaveLength(before)
  })

  test('is not sent into a group that nobody named', async () => {
    const before = standIn.sent.length
    const intoGroup = { tool: 'whatsapp.send_message', chat: GROUP, body: 'Hello' } as const
    expect(await send(intoGroup)).toMatchObject({ outcome: 'refused', code: 'ERR_WHATSAPP_REFUSED' })
    expect(standIn.sent).toHaveLength(before)
  })

  test('that the page cannot send is surely not sent; one that no server confirms is unknown, and found later', async () => {
    const before = standIn.sent.length
    standIn.setFaults({ send: 'Lid is missing in chat table' })
    await standIn.settled()
    expect(await send(TO_ANNA)).toMatchObject({
      ...{ outcome: 'refused', code: 'ERR_WHATSAPP_REFUSED' },
      reason: expect.stringContaining('Lid is missing'),
    })
    standIn.setFaults({ noChat: true })
    await standIn.settled()
    const stranger = { ...TO_ANNA, chat: '4917000000009@c.us', number: '+4917000000009' }
    expect(await send(stranger)).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('no such chat') })
    standIn.setFaults({})
    await standIn.settled()
    expect(standIn.sent).toHaveLength(before)
    standIn.isMute = true
    const receipt = receiptFor(TO_ANNA)
    const sought = { task: receipt.task, body: TO_ANNA.body, since: Date.now() }
    expect(await send(TO_ANNA, receipt)).toMatchObject({ outcome: 'unknown', code: 'ERR_OUTCOME_UNKNOWN' })
    standIn.isMute = false
    expect(findSent(await home.remote.messagesOf(ANNA), sought)).toMatchObject({ ack: 0 })
    standIn.confirm(standIn.sent.at(-1)?.key ?? '', 1)
    await standIn.settled()
    expect(findSent(await home.remote.messagesOf(ANNA), sought)).toMatchObject({ ack: 1 })
  })
})

describe('the endpoint', () => {
  const ask = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    fetch(`${home.url}${path}`, init)
  const token = () => readFileSync(join(home.folder, 'token'), 'utf8').trim()

  test('gives nothing without the token, to a page of the web, under another name, or at a guessed address', async () => {
    const authorization = `Bearer ${token()}`
    for (const path of ['/session', '/login', '/nothing']) expect((await ask(path)).status, path).toBe(401)
    for (const path of ['/mcp', '/login', '/logout'])
      expect((await ask(path, { method: 'POST' })).status, path).toBe(401)
    expect((await ask('/session', { headers: { authorization: `${authorization}x` } })).status).toBe(401)
    expect((await ask('/session', { headers: { authorization, origin: 'https://evil.example' } })).status).toBe(403)
    expect((await ask(`/qr/${'0'.repeat(32)}`)).status).toBe(404)
    expect((await ask('/session', { headers: { authorization } })).status).toBe(200)
  })
})

describe('a session that ends', () => {
  test('comes back after the browser was killed, and has what came meanwhile, once', async () => {
    const known = (await changes()).length
    const [browser = 0] = home.browsers()
    process.kill(browser, 'SIGKILL')
    await until('the loss to be noticed', async () => (await home.remote.status()).state !== 'ready')
    standIn.say(ANNA, 'are you there?')
    await home.state('ready')
    expect((await arrived(known + 1)).slice(known).map(({ body }) => body)).toEqual(['are you there?'])
    expect(home.browsers()).toHaveLength(1)
  })

  test('leaves no browser behind when the service is killed, and goes on with the same telephone', async () => {
    const known = (await changes()).length
    await home.stop('SIGKILL')
    await until('the browser to end', () => home.browsers().length === 0)
    standIn.say(ANNA, 'and now?')
    await home.start()
    await home.state('ready')
    expect((await arrived(known + 1)).slice(known).map(({ body }) => body)).toEqual(['and now?'])
  })

  test('a second service on the same session waits, and touches nothing', async () => {
    const second = await makeWhatsAppHome(standIn, { COUNTERSIGN_WHATSAPP_STATE: home.folder })
    try {
      await expect(
        Promise.race([
          second.start(),
          until('its complaint', () => second.log().includes('ERR_WHATSAPP_IN_USE')).then(() =>
            Promise.reject(new Error('in use')),
          ),
        ]),
      ).rejects.toThrow('in use')
    } finally {
      await second[Symbol.asyncDispose]()
    }
    expect((await home.remote.status()).state).toBe('ready')
  })

  test('is left to whoever took it over, for long', async () => {
    const visits = standIn.visits()
    standIn.setState('CONFLICT')
    await home.state('conflict')
    const { say } = await home.remote.status()
    expect(say).toMatch(/took over.*tried again after/)
    await until('the browser to end', () => home.browsers().length === 0)
    expect(standIn.visits()).toBe(visits)
    // A person closes it elsewhere, and goes on here.
    await home.remote.login()
    await home.state('ready')
  })

  test('is over when the telephone takes the link away: nothing of it stays, and nothing is tried', async () => {
    standIn.logout()
    await home.state('logged-out')
    await until('the profile to go', () => !existsSync(join(home.folder, 'browser')))
    expect(home.browsers()).toEqual([])
    expect((await home.remote.status()).own).toBeUndefined()
    expect(await home.remote.send(TO_ANNA, receiptFor(TO_ANNA))).toMatchObject({ outcome: 'refused' })
    await expect(home.remote.messagesOf(ANNA)).rejects.toMatchObject({ code: 'ERR_WHATSAPP_UNREACHABLE' })
    expect((await fetch(`${home.health}/readyz`)).status).toBe(503)
    expect((await fetch(`${home.health}/livez`)).status).toBe(200)
  })

  test('never begins in a vault, by whatever link', async () => {
    symlinkSync(join(home.root, 'vault'), join(home.root, 'elsewhere'))
    const other = await makeWhatsAppHome(standIn, {
      COUNTERSIGN_WHATSAPP_STATE: join(home.root, 'elsewhere', 'wa'),
      COUNTERSIGN_VAULT: join(home.root, 'vault'),
    })
    try {
      await expect(other.start()).rejects.toThrow('ERR_WHATSAPP_PLACE')
    } finally {
      await other[Symbol.asyncDispose]()
    }
    expect(readdirSync(join(home.root, 'vault'))).toEqual([])
  })
})
