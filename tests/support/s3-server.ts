import { spawn, spawnSync } from 'node:child_process'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePorts } from '../../demo/free-ports.ts'
import { until } from '../../demo/until.ts'

/** moto, a server that speaks S3, in Python: `pip install 'moto[server]'`. */
export const hasS3 = spawnSync('python3', ['-c', 'import moto.server'], { stdio: 'ignore' }).status === 0

/** What S3 and servers like it answer when they do not take a request. */
const REFUSALS = {
  full: [507, 'XMinioStorageFull', 'Storage backend has reached its minimum free drive threshold.'],
  quota: [403, 'QuotaExceeded', 'The quota of this bucket is exceeded.'],
  'wrong secret': [403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match.'],
  'wrong key': [403, 'InvalidAccessKeyId', 'The Access Key Id you provided does not exist in our records.'],
  forbidden: [403, 'AccessDenied', 'Access Denied.'],
} as const
export type S3Refusal = keyof typeof REFUSALS

export interface S3Server extends AsyncDisposable {
  readonly host: string
  /** What it answers to requests from now on: to those that write when it is full, to all when the key is wrong. */
  refuse(how: S3Refusal | undefined): void
}

/** A real S3 server, with somebody in front who can have it refuse what comes. */
export async function serveS3(): Promise<S3Server> {
  const [inner = 0] = await freePorts(1)
  const moto = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(inner)], { stdio: 'ignore' })
  const limits = { limitMs: 120_000, signal: new AbortController().signal }
  const isUp = () =>
    fetch(`http://127.0.0.1:${inner}/moto-api/`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    )
  await until('moto to answer', isUp, limits)
  let refusal: S3Refusal | undefined
  const front = createServer((asked, answer) => {
    const [status, code, message] = refusal ? REFUSALS[refusal] : []
    const isAboutRoom = refusal === 'full' || refusal === 'quota'
    if (status === undefined || (isAboutRoom && asked.method !== 'PUT')) return passOn(asked, answer, inner)
    asked.resume().on('end', () => {
      answer.writeHead(status, { 'content-type': 'application/xml' })
      answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`)
    })
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(front.address() as AddressInfo).port}`,
    refuse(how) {
      refusal = how
    },
    async [Symbol.asyncDispose]() {
      front.close()
      front.closeAllConnections()
      const ended = new Promise((done) => moto.once('exit', done))
      if (moto.kill('SIGKILL')) await ended
    },
  }
}

function passOn(asked: IncomingMessage, answer: ServerResponse, port: number): void {
  const { method, url: path, headers } = asked
  const inner = request({ host: '127.0.0.1', port, method, path, headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers)
    reply.pipe(answer)
  })
  inner.on('error', () => answer.destroy())
  asked.pipe(inner)
}
