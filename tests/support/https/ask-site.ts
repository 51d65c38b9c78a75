import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'

/** A site as it is published on this machine. */
export interface Site {
  readonly port: number
  /** Of the authority of its certificate. */
  readonly ca: Buffer
  readonly name: string
}

export interface Asked {
  /** Whose certificate is asked for, and the `Host` unless that is another. */
  readonly name?: string
  readonly host?: string
  /** Sent as it stands. */
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Asks by name, wherever that name leads to elsewhere. */
export function askSite({ port, ca, name: ownName }: Site, asked: Asked): Promise<Answer> {
  const { name = ownName, host = name, path = '/', method = 'GET', headers, body } = asked
  const options = { host: '127.0.0.1', port, servername: name, ca, path, method, agent: false }
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, headers: { host, ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject).end(body)
  })
}
