import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Endpoint } from '../../demo/mailbox/mailbox.ts'

/** An SMTP server that takes every mail from whoever logs in, keeps it and delivers it to nobody. */
export interface CountingSmtp extends AsyncDisposable {
  readonly smtp: Endpoint
  /** In the order of their arrival; `at`: ms since the epoch. */
  readonly mails: readonly { readonly at: number; readonly raw: string }[]
  /** From now on a mail is kept, but the client is told so only once the result was called. */
  holdAnswers(): () => void
  /** How often somebody connected. */
  connections(): number
}

export async function startCountingSmtp(): Promise<CountingSmtp> {
  const mails: { at: number; raw: string }[] = []
  let connections = 0
  let answers = Promise.resolve()
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 200,
    onConnect(_session, done) {
      connections++
      done()
    },
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
    onData(stream, _session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.once('error', done)
      stream.once('end', () => {
        mails.push({ at: Date.now(), raw: Buffer.concat(chunks).toString() })
        void answers.then(() => done(null, 'taken'))
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
    holdAnswers() {
      const { promise, resolve } = Promise.withResolvers<void>()
      answers = promise
      return resolve
    },
    connections: () => connections,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}
