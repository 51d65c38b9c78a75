import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import hoodiecrow, { type HoodiecrowServer } from 'hoodiecrow-imap'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import { MAIL_ACCOUNTS, type Mailbox, type MailLogin } from './mailbox.ts'

const HOST = '127.0.0.1'
const PLUGINS = ['ID', 'IDLE', 'SPECIAL-USE', 'UIDPLUS', 'NAMESPACE', 'LITERALPLUS', 'ENABLE']
const LOGINS: readonly MailLogin[] = Object.values(MAIL_ACCOUNTS)

/** npm's development mail servers in this process: mail lives in memory and is delivered between the known accounts only. */
export async function startDevMailServers(): Promise<Mailbox> {
  const { imap, deliver } = createImap()
  imap.server.listen(0, HOST)
  await once(imap.server, 'listening')
  const smtp = createSmtp(deliver)
  smtp.listen(0, HOST)
  await once(smtp.server, 'listening')
  const imapPort = (imap.server.address() as AddressInfo).port
  const smtpPort = (smtp.server.address() as AddressInfo).port
  return {
    smtp: { host: HOST, port: smtpPort },
    imap: { host: HOST, port: imapPort },
    accounts: MAIL_ACCOUNTS,
    describe: `development mail servers in this process (SMTP ${smtpPort}, IMAP ${imapPort}); mail lives in memory`,
    async [Symbol.asyncDispose]() {
      await Promise.all([
        new Promise<void>((resolve) => smtp.close(resolve)),
        new Promise<void>((resolve) => imap.close(resolve)),
      ])
    },
  }
}

type Deliver = (address: string, raw: Buffer) => void

function createImap(): { imap: HoodiecrowServer; deliver: Deliver } {
  const users = Object.fromEntries(LOGINS.map(({ address, password }) => [address, { password }]))
  const imap = hoodiecrow({ plugins: PLUGINS, users, storage: emptyStorage() })
  const views = new Map(LOGINS.map(({ address }) => [address, viewOf(imap)]))
  // The server knows one mailbox for all users: after its login, a connection is given its user's own.
  const login = imap.getCommandHandler('LOGIN')
  imap.setCommandHandler('LOGIN', (connection, parsed, data, callback) =>
    login(connection, parsed, data, () => {
      const view = views.get(parsed.attributes?.[0]?.value ?? '')
      if (view && connection.state === 'Authenticated') connection.server = view
      callback()
    }),
  )
  closeConnectionsWith(imap)
  return {
    imap,
    deliver(address, raw) {
      const view = views.get(address)
      const inbox = view?.getMailbox('INBOX')
      if (view && inbox) view.appendMessage(inbox, [], false, raw.toString('latin1'))
    },
  }
}

/** The same server (handlers, notifications) over folders of its own. */
function viewOf(imap: HoodiecrowServer): HoodiecrowServer {
  const view: HoodiecrowServer = Object.create(imap)
  Object.assign(view, { storage: emptyStorage(), uidnextCache: {}, folderCache: {}, referenceNamespace: false })
  view.indexFolders()
  return view
}

function emptyStorage(): Record<string, unknown> {
  const folders = { Sent: { 'special-use': '\\Sent' }, Drafts: { 'special-use': '\\Drafts' } }
  // Mail of an earlier run is gone and its numbers are given again: a later UIDVALIDITY tells clients so.
  return { INBOX: { uidvalidity: Math.floor(Date.now() / 1000) }, '': { separator: '/', folders } }
}

/** A listening server only closes once its connections have ended; clients in IDLE never end theirs. */
function closeConnectionsWith(imap: HoodiecrowServer): void {
  const sockets = new Set<{ destroy(): void }>()
  imap.server.on('connection', (socket) => {
    sockets.add(socket)
    // It answers in many small writes, each of which would wait 40 ms for the client's acknowledgement.
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  const close = imap.close.bind(imap)
  imap.close = (done) => {
    close(done)
    for (const socket of sockets) socket.destroy()
  }
}

function createSmtp(deliver: Deliver): SMTPServer {
  return new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 200,
    size: 50 * 1024 * 1024,
    onAuth({ username, password }, _session, done) {
      const isKnown = LOGINS.some((login) => login.address === username && login.password === password)
      if (isKnown) return done(null, { user: username })
      done(Object.assign(new Error('authentication failed'), { responseCode: 535 }))
    },
    onRcptTo({ address }, _session, done) {
      if (LOGINS.some((login) => login.address === address.toLowerCase())) return done()
      done(Object.assign(new Error('no such mailbox here, and nothing leaves this machine'), { responseCode: 550 }))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.once('error', done)
      stream.once('end', () => {
        const recipients = session.envelope.rcptTo.map(({ address }) => address.toLowerCase())
        for (const address of new Set(recipients)) deliver(address, Buffer.concat([trace(session), ...chunks]))
        done(null, 'delivered')
      })
    },
  })
}

/** What a delivering server adds on top. */
function trace(session: SMTPServerSession): Buffer {
  const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : ''
  const date = new Date().toUTCString().replace('GMT', '+0000')
  return Buffer.from(`Return-Path: <${from}>\r\nReceived: from localhost by countersign.test with ESMTPA; ${date}\r\n`)
}
