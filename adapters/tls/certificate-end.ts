import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A server that shows a certificate: at once, or when asked to in the words of its protocol. */
export interface TlsPlace {
  readonly host: string
  readonly port: number
  readonly by?: 'imap' | 'smtp'
  /** The proxy it is reached through, `host:port`; without one directly. */
  readonly via?: string | undefined
}

const LIMIT_MS = 10_000
const MAX_WORDS = 16 * 1024
/** What is said before TLS, and the answer that is waited for before it. */
const WORDS = {
  imap: [
    [/^\* OK/im, 'a STARTTLS'],
    [/^a OK/im, ''],
  ],
  smtp: [
    [/^220 /m, 'EHLO countersign.invalid'],
    [/^250 /m, 'STARTTLS'],
    [/^220 /m, ''],
  ],
} as const

/**
 * When the certificate ends that a server shows, ms since the epoch; 10 s at most. Nothing else is said to it, and whether
 * the certificate is to be trusted is not judged here: one that has ended is what is looked for. Rejects where none is shown.
 */
export async function certificateEnd({ host, port, by, via }: TlsPlace, limitMs = LIMIT_MS): Promise<number> {
  const signal = AbortSignal.timeout(limitMs)
  const socket = via ? await openTunnel(via, { host, port }, signal) : by ? connectTcp({ host, port }) : undefined
  const end = () => socket?.destroy(new Error('no answer within the time limit'))
  signal.addEventListener('abort', end)
  socket?.on('error', () => {}) // The wait below tells of it.
  try {
    if (socket && by) await askForTls(socket, by, signal)
    const servername = isIP(host) ? {} : { servername: host }
    const tls = connectTls({ ...(socket ? { socket } : { host, port }), ...servername, rejectUnauthorized: false })
    try {
      await once(tls, 'secureConnect', { signal })
      const ends = Date.parse(tls.getPeerCertificate().valid_to)
      if (!Number.isFinite(ends)) throw new Error('no certificate was shown')
      return ends
    } finally {
      tls.on('error', () => {}).destroy()
    }
  } finally {
    signal.removeEventListener('abort', end)
    socket?.destroy()
  }
}

/** A connection through a proxy. Rejects when it does not lead there. */
async function openTunnel(via: string, { host, port }: TlsPlace, signal: AbortSignal): Promise<Socket> {
  const { hostname, port: at } = new URL(`http://${via}`)
  // An agent of its own: the usual one may go through a proxy already.
  const asked = request({
    ...{ host: hostname, port: at, agent: false, signal },
    method: 'CONNECT',
    path: `${host}:${port}`,
  })
  asked.end()
  const [answer, socket] = (await once(asked, 'connect', { signal })) as [IncomingMessage, Socket]
  if (answer.statusCode === 200) return socket
  socket.destroy()
  throw new Error(`the way out answered ${answer.statusCode}`)
}

async function askForTls(socket: Socket, by: 'imap' | 'smtp', signal: AbortSignal): Promise<void> {
  for (const [expected, say] of WORDS[by]) {
    let heard = ''
    while (!expected.test(heard)) {
      const [chunk] = (await once(socket, 'data', { signal })) as [Buffer]
      heard += chunk.toString('latin1')
      if (heard.length > MAX_WORDS) throw new Error('an answer without end')
      if (/^(?:[45]\d\d |a (?:NO|BAD)|\* BYE)/im.test(heard)) throw new Error('TLS was refused')
    }
    if (say) socket.write(`${say}\r\n`)
  }
}
