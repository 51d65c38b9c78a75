import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GMAIL_SCOPES, type GmailServer, startGmailServer, type Trouble } from '#tests/support/gmail-server.ts'
import { gmailSender } from './gmail-sender.ts'
import { gmailSent } from './gmail-sent.ts'

const OWN_ID = '<01J.1@gmail.test>'
const mail = (id = OWN_ID) => ({
  envelope: { from: 'owner@gmail.test', to: ['ana@acme.test'] },
  raw: Buffer.from(
    `From: owner@gmail.test\r\nTo: ana@acme.test\r\nMessage-ID: ${id}\r\nX-Countersign-Id: ${id}\r\n\r\nGrüße \u00e9\r\n`,
  ),
})
const TIMINGS = { answerMs: 5_000, sendMs: 5_000 }
let gmail: GmailServer
beforeEach(async () => {
  gmail = await startGmailServer()
})
afterEach(() => gmail[Symbol.asyncDispose]())

describe('sending', () => {
  it('hands over the bytes and names the message', async () => {
    const outcome = await gmailSender(gmail.account, TIMINGS).send(mail())
    expect(outcome).toEqual({ kind: 'accepted', response: 'Gmail m0 in thread t0', refusedRecipients: [] })
    expect(gmail.sent).toHaveLength(1)
    expect(gmail.sent[0]).toContain('Grüße \u00e9\r\n')
    expect(gmail.calls.filter((call) => call.includes('send'))).toHaveLength(1)
  })

  it.each<[Trouble, object]>([
    [
      { status: 400, reason: 'Invalid To header' },
      { kind: 'refused', code: '400', permanent: true },
    ],
    [
      { status: 403, reason: 'User-rate limit exceeded' },
      { kind: 'refused', code: '403', permanent: false },
    ],
    [
      { status: 429, reason: 'Too many concurrent requests' },
      { kind: 'refused', code: '429', permanent: false },
    ],
    [{ status: 408, reason: 'Timeout' }, { kind: 'unknown' }],
    [{ status: 500, reason: 'Backend Error' }, { kind: 'unknown' }],
    [{ status: 503, reason: 'Unavailable' }, { kind: 'unknown' }],
    ['hang-up', { kind: 'unknown' }],
    ['silence', { kind: 'unknown' }],
  ])('says what is known after %j, and never sends twice', async (trouble, outcome) => {
    gmail.trouble = trouble
    const sender = gmailSender(gmail.account, { ...TIMINGS, sendMs: trouble === 'silence' ? 300 : 5_000 })
    expect(await sender.send(mail())).toMatchObject(outcome)
    expect(gmail.calls.filter((call) => call.includes('send'))).toHaveLength(1)
  })

  it('is refused when nobody is there', async () => {
    await gmail[Symbol.asyncDispose]()
    expect(await gmailSender(gmail.account, TIMINGS).send(mail())).toMatchObject({
      kind: 'refused',
      code: 'ERR_MAIL_UNREACHABLE',
      permanent: false,
    })
  })
})

describe('the token', () => {
  it.each([
    [GMAIL_SCOPES.slice(0, 1), 'the token lacks gmail.readonly'],
    [GMAIL_SCOPES.slice(1), 'the token lacks gmail.send'],
    [[...GMAIL_SCOPES, 'https://mail.google.com/'], 'may do too much: https://mail.google.com/'],
    [[...GMAIL_SCOPES, 'https://www.googleapis.com/auth/gmail.modify'], 'may do too much: gmail.modify'],
  ])('with the scopes %j is not used', async (scopes, say) => {
    gmail.scopes = scopes
    const sender = gmailSender(gmail.account, TIMINGS)
    const fault = { code: 'ERR_MAIL_AUTH', message: expect.stringContaining(say) }
    await expect(sender.verify()).rejects.toMatchObject(fault)
    await expect(gmailSent(gmail.account, TIMINGS).has(OWN_ID)).rejects.toMatchObject(fault)
    expect(await sender.send(mail())).toMatchObject({ kind: 'refused', code: 'ERR_MAIL_AUTH' })
    expect(gmail.sent).toEqual([])
  })

  it('may say who somebody is', async () => {
    gmail.scopes = [...GMAIL_SCOPES, 'openid', 'https://www.googleapis.com/auth/userinfo.email']
    await gmailSender(gmail.account, TIMINGS).verify()
  })

  it('of somebody else is not used', async () => {
    gmail.emailAddress = 'other@gmail.test'
    await expect(gmailSender(gmail.account, TIMINGS).verify()).rejects.toMatchObject({
      code: 'ERR_MAIL_AUTH',
      message: expect.stringContaining('belongs to other@gmail.test'),
    })
  })

  it('that was revoked is told, and a new one is taken up', async () => {
    let text = await gmail.account.credentials()
    const sender = gmailSender({ ...gmail.account, credentials: async () => text }, TIMINGS)
    gmail.refreshStatus = 400
    await expect(sender.verify()).rejects.toMatchObject({ code: 'ERR_MAIL_AUTH' })
    text = 'no JSON'
    await expect(sender.verify()).rejects.toMatchObject({
      code: 'ERR_MAIL_AUTH',
      message: expect.stringContaining('client_id, client_secret and refresh_token'),
    })
    gmail.refreshStatus = 200
    text = await gmail.account.credentials()
    await sender.verify()
  })

  it('is asked for once, while it is good', async () => {
    const sender = gmailSender(gmail.account, TIMINGS)
    await sender.verify()
    await sender.verify()
    expect(gmail.calls.filter((call) => /token/.test(call))).toEqual(['POST /token', 'POST /tokeninfo'])
  })

  it('counts as unreachable while Google is in trouble', async () => {
    gmail.refreshStatus = 503
    await expect(gmailSender(gmail.account, TIMINGS).verify()).rejects.toMatchObject({ code: 'ERR_MAIL_UNREACHABLE' })
  })
})

describe('looking a sent mail up', () => {
  it('finds it although Gmail gave it another Message-ID', async () => {
    const sender = gmailSender(gmail.account, TIMINGS)
    const sent = gmailSent(gmail.account, TIMINGS)
    expect(await sent.has(OWN_ID, 0)).toBe(false)
    for (const id of [OWN_ID, '<01J.10@gmail.test>', '<a@gmail.test>', '<b@gmail.test>']) await sender.send(mail(id))
    expect(gmail.sent[0]).toContain('Message-ID: <CA+0@mail.gmail.com>')
    expect(await sent.has(OWN_ID, 0)).toBe(true)
    expect(await sent.has('<01J.1@gmail.tes>', 0)).toBe(false)
    expect(await sent.has('<01J.11@gmail.test>', 0)).toBe(false)
  })

  it('finds one whose answer never came', async () => {
    gmail.trouble = 'hang-up'
    await gmailSender(gmail.account, TIMINGS).send(mail())
    expect(await gmailSent(gmail.account, TIMINGS).has(OWN_ID, 0)).toBe(true)
  })

  it('files nothing: Gmail does', async () => {
    await gmailSent(gmail.account, TIMINGS).append(mail().raw, 0)
    expect([gmail.sent, gmail.calls]).toEqual([[], []])
  })
})
