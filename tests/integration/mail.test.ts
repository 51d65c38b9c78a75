import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imapSent } from '#adapters/imap/imap-sent.ts'
import { imapSource } from '#adapters/imap/imap-source.ts'
import { imapThreads } from '#adapters/imap/imap-thread.ts'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import { readDeliveryReport } from '#adapters/mime/parse-report.ts'
import { smtpSender } from '#adapters/smtp/smtp-sender.ts'
import { emailActionSchema } from '#core/email-action.ts'
import type { MailAccount, OutgoingMail, RawMail, SourceState } from '#core/ports/mail.ts'
import { startMailContainer } from '../../demo/mailbox/container.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { deliver, docker, eventually, imapAccount, lookInto, pipeInto, smtpAccount } from '../support/mail.ts'

const OWNER = 'owner@countersign.test'
const CLIENT = 'client@countersign.test'
const raw = Buffer.from(`From: ${OWNER}\r\nTo: ${CLIENT}\r\nSubject: x\r\n\r\nhello\r\n`)
const outgoing = (...to: string[]): OutgoingMail => ({ envelope: { from: OWNER, to }, raw })
let unique = 0
const subjectOf = (name: string) => `${name} ${process.pid}.${++unique}`

/** Watches a mailbox from now on; collects what comes. */
function watch(
  account: MailAccount,
  seen: { after?: string; onlyReports?: boolean; timings?: Parameters<typeof imapSource>[1]['timings'] } = {},
) {
  const messages: RawMail[] = []
  const states: SourceState[] = []
  let reached = seen.after
  const source = imapSource(account, {
    mailbox: 'INBOX',
    firstRetryMs: 50,
    maxRetryMs: 200,
    ...(seen.timings && { timings: seen.timings }),
    ...(seen.onlyReports && { onlyReports: true }),
  })
  const running = source.watch({
    startingPoint: () => ({ sinceMs: Date.now() - 86_400_000, ...(reached && { after: reached }) }),
    async onMessage(message) {
      messages.push(message)
      reached = message.position?.mark
    },
    onCaughtUp: ({ mark }) => {
      reached = mark
    },
    onState: (state) => void states.push(state),
  })
  return { messages, states, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}
const subjects = (messages: readonly RawMail[]) =>
  messages.map(({ source }) => /^Subject: (.*)\r$/m.exec(Buffer.from(source).toString('latin1'))?.[1])

describe.each([
  ['a mail server in a container', startMailContainer],
  ['development mail servers', startDevMailServers],
] as const)('with %s', (_name, start) => {
  let mailbox: Mailbox
  beforeAll(async () => {
    mailbox = await start()
  })
  afterAll(async () => mailbox?.[Symbol.asyncDispose]())

  it('sends a reply that arrives once, byte for byte, in its thread', async () => {
    const action = emailActionSchema.parse({
      tool: 'email.send_email',
      account: OWNER,
      to: [CLIENT],
      subject: `Re: ${subjectOf('Größe')}`,
      in_reply_to: '<m1@countersign.test>',
      references: ['<m0@countersign.test>', '<m1@countersign.test>'],
      body: 'Grüße\n.\nEnde',
    })
    const messageId = `<send.${unique}@countersign.test>`
    const mail = await composeMail(action, { senderName: 'Owner', messageId, sentAt: Date.UTC(2026, 10, 20) })
    const sender = smtpSender(smtpAccount(mailbox, 'owner'))
    await sender.verify()
    expect(await sender.send(mail)).toMatchObject({ kind: 'accepted', refusedRecipients: [] })
    const arrived = await eventually('the mail is there', async () => {
      const { messages } = await lookInto(mailbox, 'client')
      const found = messages.filter(({ source }) => source.includes(messageId))
      return found.length > 0 && found
    })
    expect(arrived).toHaveLength(1)
    expect(arrived[0]?.source).toContain(Buffer.from(mail.raw).toString())
    const source = Buffer.from(arrived[0]?.source ?? '')
    const read = await parseMail({
      receivedAt: 0,
      size: source.length,
      source,
      declaredAttachments: [],
    })
    expect(read).toMatchObject({
      references: ['<m0@countersign.test>', '<m1@countersign.test>'],
      subject: action.subject,
    })
  })

  it('announces new mail that comes while it watches, and mail from before, in order', async () => {
    const [before, during] = [subjectOf('before'), subjectOf('during')]
    await deliver(mailbox, `From: ${CLIENT}\nSubject: ${before}\n\nx\n`)
    await eventually('the first is there', async () =>
      (await lookInto(mailbox, 'owner')).messages.some(({ subject }) => subject === before),
    )
    await using watching = watch(imapAccount(mailbox, 'owner'))
    await eventually('the first is announced', () => subjects(watching.messages).includes(before))
    await deliver(mailbox, `From: ${CLIENT}\nSubject: ${during}\n\nx\n`)
    await eventually('the second is announced', () => subjects(watching.messages).includes(during))
    expect(subjects(watching.messages).filter((subject) => subject === before)).toHaveLength(1)
    const uids = watching.messages.map(({ position }) => Number(position?.mark))
    expect(uids).toEqual(uids.toSorted((a, b) => a - b))
  })

  it('does not take the last mail for a new one when none is new', async () => {
    await deliver(mailbox, `From: ${CLIENT}\nSubject: ${subjectOf('last')}\n\nx\n`)
    const last = await eventually('there is a last mail', async () =>
      (await lookInto(mailbox, 'owner')).messages.at(-1),
    )
    await using watching = watch(imapAccount(mailbox, 'owner'), { after: String(last.uid) })
    await eventually('it is connected', () => watching.states.length > 0)
    const subject = subjectOf('next')
    await deliver(mailbox, `From: ${CLIENT}\nSubject: ${subject}\n\nx\n`)
    await eventually('the next one is announced', () => watching.messages.length > 0)
    expect(subjects(watching.messages)).toEqual([subject])
  })

  it('finds a sent mail by its exact Message-ID only', async () => {
    const sent = imapSent(imapAccount(mailbox, 'owner'))
    expect(await sent.has('<act-7f3a@x.test>')).toBe(false)
    await sent.append(Buffer.from('From: a@x.test\r\nMessage-ID: <act-7f3a@x.test>\r\n\r\nx\r\n'), Date.now())
    expect(await sent.has('<act-7f3a@x.test>')).toBe(true)
    expect(await sent.has('<act-7f3@x.test>')).toBe(false)
    expect(await sent.has('act-7f3a@x.test')).toBe(false)
    const { messages } = await lookInto(mailbox, 'owner', 'Sent')
    expect(messages).toMatchObject([{ flags: ['\\Seen'] }])
  })

  it('finds a sent mail by our own header when the provider gave it another Message-ID', async () => {
    const sent = imapSent(imapAccount(mailbox, 'owner'))
    const copy =
      'From: a@x.test\r\nMessage-ID: <theirs@provider.test>\r\nX-Countersign-ID: <act-9.1@x.test>\r\n\r\nx\r\n'
    await sent.append(Buffer.from(copy), Date.now())
    expect(await sent.has('<act-9.1@x.test>')).toBe(true)
    expect(await sent.has('<act-9.1@x.tes>')).toBe(false)
    expect(await sent.has('<act-9@x.test>')).toBe(false)
  })

  it('looks at a thread in the inbox and in Sent, over one connection', async () => {
    const [root, question, again] = [1, 2, 3].map((part) => `<thread.${process.pid}.${++unique}.${part}@x.test>`)
    const letter = (id: string, refs: string) => `From: ${CLIENT}\nMessage-ID: ${id}\n${refs}Subject: x\n\nx\n`
    await deliver(mailbox, letter(root ?? '', ''))
    await deliver(mailbox, letter(question ?? '', `In-Reply-To: ${root}\nReferences: ${root}\n`))
    await deliver(mailbox, letter('<other@x.test>', 'References: <elsewhere@x.test>\n'))
    using threads = imapThreads(imapAccount(mailbox, 'owner'), { mailbox: 'INBOX' })
    const query = { ids: [root ?? '', question ?? ''], since: Date.now() }
    const seen = async () => {
      const messages = await threads.look(query)
      return messages.map(({ folder, messageId }) => `${folder} ${messageId}`).sort()
    }
    const both = [`inbox ${root}`, `inbox ${question}`]
    await eventually('both are there', async () => (await seen()).length === 2)
    expect(await seen()).toEqual(both)
    await deliver(mailbox, letter(again ?? '', `In-Reply-To: ${question}\n`))
    const reply = `From: ${OWNER}\r\nMessage-ID: <mine@x.test>\r\nX-Countersign-ID: <own@x.test>\r\nReferences: ${root}\r\n ${question}\r\n\r\nx\r\n`
    await imapSent(imapAccount(mailbox, 'owner')).append(Buffer.from(reply), Date.now())
    await eventually('all are there', async () => (await seen()).length === 4)
    expect(await seen()).toEqual([...both, `inbox ${again}`, 'sent <mine@x.test>'])
    expect((await threads.look(query)).find(({ folder }) => folder === 'sent')).toMatchObject({
      ...{ ownId: '<own@x.test>', refersTo: [root, question], from: OWNER },
    })
  })

  it('reports recipients that the server refuses', async () => {
    const sender = smtpSender(smtpAccount(mailbox, 'owner'))
    const nobody = 'nobody@countersign.test'
    const eightBit = await sender.send(outgoing('jörg@countersign.test'))
    expect(eightBit).toMatchObject({ kind: 'refused', permanent: true })
    expect(eightBit).not.toMatchObject({ code: 'SMTPUTF8' })
    expect(await sender.send(outgoing(nobody))).toMatchObject({ kind: 'refused', code: '550', permanent: true })
    expect(await sender.send(outgoing('x@elsewhere.test'))).toMatchObject({ kind: 'refused', permanent: true })
    const partly = await sender.send(outgoing(CLIENT, nobody))
    expect(partly).toMatchObject({ kind: 'accepted', refusedRecipients: [{ address: nobody }] })
  })

  it('names user, host and port when the password is wrong', async () => {
    const wrong = { password: async () => 'wrong' }
    const smtpAt = `${OWNER}@127.0.0.1:${mailbox.smtp.port}`
    const imapAt = `${OWNER}@127.0.0.1:${mailbox.imap.port}`
    const sender = smtpSender(smtpAccount(mailbox, 'owner', wrong))
    const fault = { code: 'ERR_MAIL_AUTH', message: expect.stringContaining(smtpAt) }
    await expect(sender.verify()).rejects.toMatchObject(fault)
    expect(await sender.send(outgoing(CLIENT))).toMatchObject({
      kind: 'refused',
      code: 'ERR_MAIL_AUTH',
      permanent: false,
    })
    const imapFault = { code: 'ERR_MAIL_AUTH', message: expect.stringContaining(imapAt) }
    await expect(imapSent(imapAccount(mailbox, 'owner', wrong)).has('<a@b>')).rejects.toMatchObject(imapFault)
    await using watching = watch(imapAccount(mailbox, 'owner', wrong))
    await eventually('it tried twice', () => watching.states.length > 1)
    expect(watching.states[0]).toMatchObject({ kind: 'disconnected', error: imapFault })
  })

  it('refuses to go on without the encryption that is asked for', async () => {
    const secure = { tls: 'starttls' } as const
    await expect(smtpSender(smtpAccount(mailbox, 'owner', secure)).verify()).rejects.toMatchObject({
      code: 'ERR_MAIL_UNREACHABLE',
    })
    await expect(imapSent(imapAccount(mailbox, 'owner', secure)).has('<a@b>')).rejects.toMatchObject({
      code: 'ERR_MAIL_UNREACHABLE',
    })
  })
})

it('hands over reports of failed deliveries only, and tells which mail each is about', async () => {
  await using mailbox = await startMailContainer()
  const action = emailActionSchema.parse({
    ...{ tool: 'email.send_email', account: OWNER, to: [CLIENT], subject: 'x', body: 'x' },
  })
  const mail = await composeMail(action, { senderName: '', messageId: '<01J.1@countersign.test>', sentAt: Date.now() })
  await deliver(mailbox, `From: ${CLIENT}\nSubject: a letter\n\nx\n`)
  // Past the server's own check of recipients: so the refusal comes later, as a mail.
  await pipeInto(mailbox.container, Buffer.from(mail.raw), ['sendmail', '-f', OWNER, 'nobody@countersign.test'])
  await using watching = watch(imapAccount(mailbox, 'owner'), { onlyReports: true })
  const [first] = await eventually('the report is there', () => watching.messages.length > 0 && watching.messages)
  expect(await readDeliveryReport(first as RawMail)).toEqual({
    ids: ['<01J.1@countersign.test>'],
    failed: [{ address: 'nobody@countersign.test', status: '5.1.1', reason: expect.stringContaining('exist') }],
  })
  expect(subjects(watching.messages)).toEqual(['Undelivered Mail Returned to Sender'])
})

it('looks at threads over a new connection when the server closed the old one', async () => {
  await using mailbox = await startMailContainer()
  await deliver(mailbox, `From: ${CLIENT}\nMessage-ID: <q@x.test>\nSubject: x\n\nx\n`)
  using threads = imapThreads(imapAccount(mailbox, 'owner'), { mailbox: 'INBOX' })
  const look = () => threads.look({ ids: ['<q@x.test>'] })
  await eventually('it is there', async () => (await look()).length > 0)
  await docker('exec', mailbox.container, 'doveadm', 'kick', OWNER)
  expect(await look()).toHaveLength(1)
  await docker('stop', '-t', '0', mailbox.container)
  await expect(look()).rejects.toMatchObject({ code: 'ERR_MAIL_UNREACHABLE' })
})

describe('servers in trouble', () => {
  const account = (port: number): MailAccount => ({
    host: '127.0.0.1',
    port,
    user: '',
    tls: 'none',
    password: async () => '',
  })

  it('names host and port when nobody listens', async () => {
    await using server = await listening(() => {})
    const { port } = server
    await server.close()
    const fault = { code: 'ERR_MAIL_UNREACHABLE', message: expect.stringContaining(`127.0.0.1:${port}`) }
    await expect(smtpSender(account(port)).verify()).rejects.toMatchObject(fault)
    await expect(imapSent(account(port)).has('<a@b>')).rejects.toMatchObject(fault)
    expect(await smtpSender(account(port)).send(outgoing(CLIENT))).toMatchObject({
      kind: 'refused',
      code: 'ERR_MAIL_UNREACHABLE',
    })
  })

  it.each([
    ['refused, when it hangs up before it asked for the message', ['RCPT'], { kind: 'refused', permanent: false }],
    ['unknown, when it hangs up after it got the message', ['.'], { kind: 'unknown' }],
    ['refused, when it says no to the message', ['.', '554 spam'], { kind: 'refused', code: '554', permanent: true }],
    [
      'refused for now, when it asks to try later',
      ['.', '451 later'],
      { kind: 'refused', code: '451', permanent: false },
    ],
    ['unknown, when it never answers the message', ['.', ''], { kind: 'unknown' }],
    ['refused, when it never answers the envelope', ['RCPT', ''], { kind: 'refused', permanent: false }],
  ] as const)('the outcome is %s', async (_name, [trouble, answer], expected) => {
    await using server = await listening((socket) => converse(socket, trouble, answer))
    const sender = smtpSender(account(server.port), { connectMs: 1_000, silenceMs: 500 })
    expect(await sender.send(outgoing(CLIENT))).toMatchObject(expected)
  })

  it('is refused before anything is said, when an address has letters that the server does not take', async () => {
    const said: string[] = []
    await using server = await listening((socket) => {
      socket.on('data', (chunk) => void said.push(String(chunk)))
      converse(socket, 'NOTHING', undefined)
    })
    const sender = smtpSender(account(server.port), { connectMs: 1_000, silenceMs: 500 })
    expect(await sender.send(outgoing('jörg@xn--bcher-kva.test'))).toMatchObject({ kind: 'refused', code: 'SMTPUTF8' })
    expect(said.join('')).not.toMatch(/MAIL|RCPT/)
  })

  it('does not blame the password when the server goes away during login', async () => {
    await using server = await listening((socket) => {
      socket.write('* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n')
      socket.on('data', (chunk) => void (String(chunk).includes('LOGIN') && socket.destroy()))
    })
    const lost = imapSent({ ...account(server.port), user: 'u', password: async () => 'p' }).has('<a@b>')
    await expect(lost).rejects.toMatchObject({ code: 'ERR_MAIL_UNREACHABLE' })
  })

  it('notices an IMAP server that hangs before the login', async () => {
    await using server = await listening((socket) => hang(socket))
    await using watching = watch({ ...account(server.port), user: 'u', password: async () => 'p' }, { timings: BRISK })
    expect(await lost(watching)).toMatchObject({ error: { code: 'ERR_MAIL_UNREACHABLE' } })
  })

  it('notices an IMAP server that hangs while it is watched, and comes back with it', async () => {
    await using mailbox = await startMailContainer()
    await using watching = watch(imapAccount(mailbox, 'owner'), { timings: BRISK })
    await eventually('it watches', () => watching.states.some((state) => state.kind === 'connected'))
    await docker('pause', mailbox.container)
    expect(await lost(watching)).toMatchObject({ error: { code: 'ERR_MAIL_UNREACHABLE' } })
    await docker('unpause', mailbox.container)
    const subject = subjectOf('after the pause')
    await deliver(mailbox, `From: ${CLIENT}\nSubject: ${subject}\n\nx\n`)
    await eventually('mail is announced again', () => subjects(watching.messages).includes(subject))
  })
})

const BRISK = { connectMs: 2_000, lookAgainMs: 300, answerMs: 2_000 }
const lost = (watching: { states: readonly SourceState[] }) =>
  eventually('it gives the connection up', () => watching.states.find((state) => state.kind === 'disconnected'))

async function listening(onConnection: (socket: Socket) => void) {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => void server.close()
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close }
}

/** An SMTP server that at one command hangs up, or gives this answer ('': none at all). */
function converse(socket: Socket, trouble: string, answer: string | undefined): void {
  let isData = false
  let text = ''
  socket.write('220 hello\r\n')
  socket.on('data', (chunk) => {
    text += chunk
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 2)
      if (isData && line !== '.') continue
      isData = line === 'DATA'
      if (line.startsWith(trouble)) {
        if (answer === undefined) return void socket.destroy()
        if (answer !== '') socket.write(`${answer}\r\n`)
      } else socket.write(isData ? '354 go on\r\n' : '250 ok\r\n')
    }
  })
}

/** An IMAP server that greets and then says nothing more. */
function hang(socket: Socket): void {
  socket.write('* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n')
  socket.resume()
}
