import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Endpoint } from '../../demo/mailbox/mailbox.ts'

/** An SMTP server that takes every mail from whoever logs in, keeps it and delivers it to nobody. */
export interface CountingSmtp extends AsyncDisposable {
  readonly smtp: Endpoint
  /** In the order of their arrival; `at`: ms since the epoch. */
  readonly mails: readonly { readonly at: number; readonly raw: string }[]
}

export async function startCountingSmtp(): Promise<CountingSmtp> {
  const mails: { at: number; raw: string }[] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 200,
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
    onData(stream, _session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.once('error', done)
      stream.once('end', () => {
        mails.push({ at: Date.now(), raw: Buffer.concat(chunks).toString() })
        done(null, 'taken')
      })
    },
  })
  server.on('error', () => {}) // a client that was killed
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    smtp: { host: '127.0.0.1', port },
    mails,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}
