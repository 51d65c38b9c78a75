import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import type { CredentialNews, MailPosition, RawMail, SourceState } from '#core/ports/mail.ts'
import { type GmailEmulator, startGmailEmulator } from '#tests/support/gmail-emulator.ts'
import { GMAIL_SCOPES } from './gmail-scopes.ts'
import { gmailSearch } from './gmail-search.ts'
import { type GmailSourceOptions, gmailSource } from './gmail-source.ts'
import { gmailThreads } from './gmail-thread.ts'

const OWNER = 'owner@gmail.test'
const letter = (subject: string, more = '') =>
  `From: Ana <ana@acme.test>\nTo: ${OWNER}\nSubject: ${subject}\nMessage-ID: <${subject}@acme.test>\n${more}\nhello\n`
const subjectOf = ({ source }: RawMail) => /^Subject: (.*)\r$/m.exec(Buffer.from(source).toString())?.[1]

let gmail: GmailEmulator
let tokenFile: string
let open: AsyncDisposable[] = []
beforeEach(async () => {
  gmail = await startGmailEmulator()
  tokenFile = await gmail.tokenFile()
})
afterEach(async () => {
  for (const one of open) await one[Symbol.asyncDispose]()
  open = []
  await gmail[Symbol.asyncDispose]()
})

const account = () => ({
  address: OWNER,
  may: 'read' as const,
  credentials: async () => tokenFile,
  endpoints: { api: `${gmail.url}/`, token: `${gmail.url}/token`, tokenInfo: `${gmail.url}/tokeninfo` },
})

/** A watch as triage keeps it; `memory` outlives it. */
function watch(
  memory: { at?: MailPosition; fail?: (raw: RawMail) => void } = {},
  options: Partial<GmailSourceOptions> = {},
) {
  const subjects: (string | undefined)[] = []
  const mails: RawMail[] = []
  const states: SourceState[] = []
  const credentials: CredentialNews[] = []
  let looks = 0
  const running = gmailSource(account(), { pollMs: 20, firstRetryMs: 20, maxRetryMs: 40, ...options }).watch({
    startingPoint: () => ({ sinceMs: Date.now() - 3_600_000, ...(memory.at && { after: memory.at.mark }) }),
    async onMessage(raw) {
      memory.fail?.(raw)
      mails.push(raw)
      subjects.push(subjectOf(raw))
      if (raw.position) memory.at = raw.position
    },
    onCaughtUp(position) {
      memory.at = position
      looks++
    },
    onState: (state) => void states.push(state),
    onCredential: async (news) => void credentials.push(news),
  })
  open.push(running)
  const nextLook = async () => {
    const before = looks
    await expect.poll(() => looks, { timeout: 10_000 }).toBeGreaterThan(before)
  }
  return { subjects, mails, states, credentials, nextLook, stop: () => running[Symbol.asyncDispose]() }
}

describe('mail', () => {
  it('is found that was there, and announced when it comes, byte for byte and once', async () => {
    await gmail.deliver(letter('first'))
    await gmail.deliver(letter('second'))
    const watching = watch()
    await watching.nextLook()
    expect(watching.subjects).toEqual(['first', 'second'])
    await gmail.deliver(letter('third', 'X-Odd:   kept  \n'))
    await watching.nextLook()
    await watching.nextLook()
    expect(watching.subjects).toEqual(['first', 'second', 'third'])
    expect(Buffer.from(watching.mails[2]?.source ?? []).toString()).toContain('X-Odd:   kept  \r\n\r\nhello\r\n')
    expect(watching.states).toEqual([{ kind: 'connected' }])
  })

  it('that came while nobody looked is found by the history alone', async () => {
    const memory: { at?: MailPosition } = {}
    const first = watch(memory)
    await first.nextLook()
    await first.stop()
    await gmail.deliver(letter('meanwhile'))
    gmail.calls.length = 0
    const again = watch(memory)
    await again.nextLook()
    expect(again.subjects).toEqual(['meanwhile'])
    expect(gmail.calls).not.toContain('GET /gmail/v1/users/me/messages')
  })

  it('is looked for anew when the history is gone', async () => {
    const memory: { at?: MailPosition } = {}
    const first = watch(memory)
    await first.nextLook()
    await first.stop()
    await gmail.deliver(letter('long ago'), { receivedAt: Date.now() - 30 * 86_400_000 })
    await gmail.deliver(letter('lately'))
    await gmail.forgetHistory()
    const again = watch(memory)
    await again.nextLook()
    expect(again.subjects).toEqual(['lately'])
    await gmail.deliver(letter('after'))
    await again.nextLook()
    expect(again.subjects).toEqual(['lately', 'after'])
  })

  it('counts when it stands in the inbox, also when it gets there later', async () => {
    const watching = watch()
    await watching.nextLook()
    const spam = await gmail.deliver(letter('spam'), { labelIds: ['SPAM'] })
    await gmail.deliver(letter('filed'), { labelIds: ['UNREAD'] })
    await watching.nextLook()
    expect(watching.subjects).toEqual([])
    await gmail.modify(spam, { removeLabelIds: ['SPAM'], addLabelIds: ['INBOX'] })
    await watching.nextLook()
    await watching.nextLook()
    expect(watching.subjects).toEqual(['spam'])
  })

  it('stays as it was: nothing but reading is asked for', async () => {
    await gmail.deliver(letter('unread'))
    const watching = watch()
    await watching.nextLook()
    expect((await gmail.messages()).map(({ labelIds }) => labelIds)).toEqual([['INBOX', 'UNREAD']])
    expect(gmail.calls.filter((call) => !/^GET |^POST \/token(?:info)?$/.test(call))).toEqual([])
  })

  it('comes again when it could not be dealt with, and only that', async () => {
    await gmail.deliver(letter('one'))
    await gmail.deliver(letter('two'))
    let failures = 2
    const fail = (raw: RawMail) => {
      if (subjectOf(raw) === 'two' && failures-- > 0) throw new Error('the disk is full')
    }
    const watching = watch({ fail })
    await watching.nextLook()
    expect(watching.subjects).toEqual(['one', 'two'])
    expect(watching.states).toMatchObject([
      { kind: 'disconnected', error: { message: 'the disk is full' } },
      { kind: 'disconnected' },
      { kind: 'connected' },
    ])
  })

  it('too large to be fetched comes as its head and text, with its files named', async () => {
    const film = Buffer.alloc(10 * 1024 * 1024, 7)
      .toString('base64')
      .replace(/.{76}/g, '$&\n')
    const kind = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n'
    const parts = `--b\nContent-Type: text/plain; charset=utf-8\n\nsee the film, grüße\n--b\nContent-Type: video/mp4\nContent-Disposition: attachment; filename="film.mp4"\nContent-Transfer-Encoding: base64\n\n${film}\n--b--`
    await gmail.deliver(letter('film', kind).replace('hello', () => parts))
    const watching = watch()
    await watching.nextLook()
    const mail = await parseMail(watching.mails[0] as RawMail)
    expect(mail).toMatchObject({
      ...{ subject: 'film', messageId: '<film@acme.test>', from: { address: 'ana@acme.test' } },
      attachments: [{ fileName: 'film.mp4', contentType: 'video/mp4' }],
      problems: [expect.stringContaining('only its beginning was read')],
    })
    expect(mail.text.trim()).toBe('see the film, grüße')
    expect(watching.mails[0]?.source.length).toBeLessThan(2_000)
  })

  it('of which only reports are wanted is not fetched otherwise', async () => {
    await gmail.deliver(letter('letter'))
    const report = 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n'
    await gmail.deliver(letter('report', report).replace('hello', '--b\n\nnot delivered\n--b--'))
    const watching = watch({}, { onlyReports: true })
    await watching.nextLook()
    expect(watching.subjects).toEqual(['report'])
  })
})

describe('trouble', () => {
  it.each([429, 500, 503])('of %i is waited out, and no mail is lost', async (status) => {
    const watching = watch()
    await watching.nextLook()
    gmail.trouble(/messages\/msg/, { status, times: 2 })
    await gmail.deliver(letter('late'))
    await watching.nextLook()
    expect(watching.subjects).toEqual(['late'])
    expect(watching.states).toMatchObject([
      { kind: 'connected' },
      { kind: 'disconnected', error: { code: 'ERR_MAIL_UNREACHABLE' } },
      { kind: 'disconnected' },
      { kind: 'connected' },
    ])
  })

  it('is waited out for as long as the server says', async () => {
    gmail.trouble(/history|messages/, { status: 429, headers: { 'retry-after': '7' } })
    const watching = watch()
    await expect.poll(() => watching.states.length).toBe(1)
    expect(watching.states[0]).toMatchObject({ kind: 'disconnected', retryInMs: 7000 })
  })

  it('of the quota is no trouble with the token', async () => {
    gmail.trouble(/messages/, { status: 403, say: 'Quota exceeded for quota metric' })
    const watching = watch()
    await watching.nextLook()
    expect(watching.states[0]).toMatchObject({ error: { code: 'ERR_MAIL_UNREACHABLE' } })
    expect(watching.credentials.some(({ isRefused }) => isRefused)).toBe(false)
  })

  it('in a long first look does not begin it again', async () => {
    for (const name of ['a', 'b', 'c']) await gmail.deliver(letter(name))
    const third = (await gmail.messages()).find(({ payload }) =>
      payload?.headers?.some(({ value }) => value === '<c@acme.test>'),
    )
    gmail.trouble(new RegExp(`messages/${third?.id}`), { status: 429 })
    const watching = watch()
    await watching.nextLook()
    expect(watching.subjects).toEqual(['a', 'b', 'c'])
  })
})

describe('the token', () => {
  it.each(['gmail.modify', 'gmail.compose', 'gmail.send', 'gmail.settings.basic'])(
    'that can do more than read (%s) is named and not used',
    async (name) => {
      tokenFile = await gmail.tokenFile([...GMAIL_SCOPES.read, `https://www.googleapis.com/auth/${name}`])
      const watching = watch()
      await expect.poll(() => watching.states.length).toBeGreaterThan(1)
      expect(watching.states[0]).toMatchObject({
        kind: 'disconnected',
        error: {
          code: 'ERR_MAIL_AUTH',
          message: expect.stringMatching(`may do too much: ${name}; run .countersign auth gmail --zone cloud`),
        },
      })
      expect(gmail.calls.some((call) => call.includes('/gmail/'))).toBe(false)
    },
  )

  it('of full access is not used either', async () => {
    tokenFile = await gmail.tokenFile(['https://mail.google.com/'])
    const watching = watch()
    await expect.poll(() => watching.states.length).toBeGreaterThan(0)
    expect(watching.states[0]).toMatchObject({
      error: { message: expect.stringContaining('https://mail.google.com/') },
    })
    expect(gmail.calls.some((call) => call.includes('/gmail/'))).toBe(false)
  })

  it('is looked at again with each new access token', async () => {
    const watching = watch()
    await watching.nextLook()
    expect(gmail.calls.filter((call) => call === 'POST /tokeninfo')).toHaveLength(1)
    tokenFile = await gmail.tokenFile([...GMAIL_SCOPES.read, 'https://www.googleapis.com/auth/gmail.modify'])
    await expect.poll(() => watching.states.at(-1)).toMatchObject({ error: { code: 'ERR_MAIL_AUTH' } })
    tokenFile = await gmail.tokenFile()
    await expect.poll(() => watching.states.at(-1)).toMatchObject({ kind: 'connected' })
  })

  it('tells when it ends, and when it is taken no longer', async () => {
    gmail.refreshTokenExpiresIn = 604_800
    const watching = watch()
    await watching.nextLook()
    await watching.nextLook()
    const [news] = watching.credentials
    expect(news?.isRefused).toBe(false)
    expect((news?.expiresAt ?? 0) - Date.now()).toBeGreaterThan(604_700_000)
    gmail.isRevoked = true
    // The same token, read anew: the access token of before is forgotten.
    tokenFile = `${tokenFile}\n`
    await expect.poll(() => watching.credentials.at(-1)).toMatchObject({ name: news?.name, isRefused: true })
    expect(watching.states.at(-1)).toMatchObject({
      error: { code: 'ERR_MAIL_AUTH', message: expect.stringContaining('countersign auth gmail --zone cloud') },
    })
  })

  it('of somebody else is not used', async () => {
    const other = { ...account(), address: 'other@gmail.test' }
    const look = gmailSearch(other)({ limit: 1 })
    await expect(look).rejects.toMatchObject({ code: 'ERR_MAIL_AUTH', message: expect.stringContaining(OWNER) })
  })
})

describe('Pub/Sub', () => {
  const push = (faults: Error[], key = gmail.pubSub.key) => ({
    topic: 'projects/project/topics/mail',
    subscription: 'projects/project/subscriptions/mail',
    key: async () => key,
    endpoint: `${gmail.url}/`,
    onFault: (error: Error) => void faults.push(error),
  })

  it('rings, and mail is there long before the next look', async () => {
    const faults: Error[] = []
    const watching = watch({}, { pollMs: 3_600_000, push: push(faults) })
    await watching.nextLook()
    for (const subject of ['one', 'two']) {
      await gmail.deliver(letter(subject))
      await expect.poll(() => watching.subjects, { timeout: 10_000 }).toContain(subject)
    }
    await expect.poll(() => gmail.pubSub.acknowledged.length, { timeout: 10_000 }).toBe(2)
    expect(watching.subjects).toEqual(['one', 'two'])
    expect([faults, gmail.calls.filter((call) => call.endsWith('/watch')).length]).toEqual([[], 1])
    expect(gmail.calls.filter((call) => call === 'POST /service-token')).toHaveLength(1)
  })

  it.each<[string, () => void, string | undefined]>([
    ['does not answer', () => gmail.trouble(/:pull/, { status: 503, times: 1_000 }), undefined],
    ['takes the key no more', () => gmail.trouble(/service-token/, { status: 400, times: 1_000 }), undefined],
    ['has no key', () => {}, '{"type":"authorized_user"}'],
    [
      'was not allowed to Gmail',
      () => gmail.trouble(/watch/, { status: 403, say: 'no rights', times: 1_000 }),
      undefined,
    ],
  ])('that %s is told of, and polling goes on', async (_what, harm, key) => {
    harm()
    const faults: Error[] = []
    const watching = watch({}, { push: push(faults, key ?? gmail.pubSub.key) })
    await watching.nextLook()
    await gmail.deliver(letter('polled'))
    await watching.nextLook()
    await watching.nextLook()
    expect(watching.subjects).toEqual(['polled'])
    await expect.poll(() => faults.length, { timeout: 10_000 }).toBeGreaterThan(0)
    expect(watching.states).toEqual([{ kind: 'connected' }])
    expect(faults.map(String).join()).not.toContain('PRIVATE KEY')
  })
})

it('searches, newest first, with words that are no operators', async () => {
  await gmail.deliver(letter('Invoice-7'), { receivedAt: Date.UTC(2026, 9, 1) })
  await gmail.deliver(letter('Lunch'), { receivedAt: Date.UTC(2026, 9, 2) })
  const search = gmailSearch(account())
  expect((await search({ limit: 5 })).map(({ subject }) => subject)).toEqual(['Lunch', 'Invoice-7'])
  expect(await search({ subject: 'invoice-7', limit: 5 })).toEqual([
    {
      ...{ messageId: '<Invoice-7@acme.test>', from: 'Ana <ana@acme.test>', subject: 'Invoice-7' },
      receivedAt: Date.UTC(2026, 9, 1),
    },
  ])
  expect(await search({ from: 'bea@acme.test" OR in:anywhere', limit: 5 })).toEqual([])
})

it('shows threads as the mailbox has them, with what was sent', async () => {
  await gmail.deliver(letter('question'))
  const refers = 'References: <question@acme.test>\nIn-Reply-To: <question@acme.test>\n'
  await gmail.deliver(letter('again', refers))
  await gmail.deliver(letter('other'))
  const reply = letter('reply', `${refers}X-Countersign-ID: <own@gmail.test>\n`)
  await gmail.deliver(reply.replace('Ana <ana@acme.test>', OWNER), { labelIds: ['SENT'] })
  const found = await gmailThreads(account())({ ids: ['<question@acme.test>'] })
  expect(found.map(({ folder, messageId }) => `${folder} ${messageId}`).sort()).toEqual([
    'inbox <again@acme.test>',
    'inbox <question@acme.test>',
    'sent <reply@acme.test>',
  ])
  expect(found.find(({ folder }) => folder === 'sent')).toMatchObject({
    ...{ ownId: '<own@gmail.test>', refersTo: ['<question@acme.test>'], from: OWNER },
  })
})
