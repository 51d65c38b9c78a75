import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

/** How one request is answered. */
export type Answering = (response: ServerResponse, asked: Asked) => void

export interface StandIn extends AsyncDisposable {
  readonly url: string
  readonly asked: Asked[]
  /** Answers the next requests in this order; the last one answers all that follow. */
  answers(...answering: Answering[]): void
}

/** A provider on loopback that does as it is told, well or badly. */
export async function standIn(): Promise<StandIn> {
  let queue: Answering[] = []
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    response.on('error', () => {})
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const one = { path: request.url ?? '', headers: request.headers, body: text ? JSON.parse(text) : {} }
    asked.push(one)
    const answer = queue.length > 1 ? queue.shift() : queue[0]
    answer?.(response, one)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    answers: (...answering) => {
      queue = answering
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answering {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

/** A completion of a server of OpenAI's form. */
export function completion(content: unknown, extra: object = {}, finish = 'stop', usage: object = USAGE): Answering {
  const message = { role: 'assistant', content, ...extra }
  return json(200, {
    ...{ id: 'c1', object: 'chat.completion', created: 1, model: 'm' },
    choices: [{ index: 0, message, finish_reason: finish }],
    usage,
  })
}

const USAGE = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }

/** A message of Anthropic's form. */
export function message(content: unknown[], stopReason = 'end_turn', usage: object = {}): Answering {
  return json(200, {
    ...{
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content,
      stop_reason: stopReason,
      stop_sequence: null,
    },
    usage: { input_tokens: 100, output_tokens: 20, ...usage },
  })
}
