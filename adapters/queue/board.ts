import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import { Queue } from 'bullmq'
import Fastify, { type FastifyInstance } from 'fastify'
import { JOBS } from '#core/jobs.ts'
import type { RedisConnection } from './redis.ts'

export interface BoardOptions {
  /** Asked before anything else of each request. */
  readonly refusalOf: (asked: {
    readonly method: string
    readonly host: string | undefined
    readonly authorization: string | undefined
  }) =>
    | { readonly status: number; readonly say: string; readonly headers: Readonly<Record<string, string>> }
    | undefined
  /** The folder of @bull-board/ui; undefined: where Node finds that package. */
  readonly pages: string | undefined
}

const HEADERS = {
  // Its pages name fonts of another server, which are not fetched, and style themselves inline.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
}

/** The part of bull-board that answers; what changes a queue is never registered, whatever a later version adds. */
class LookingOnly extends FastifyAdapter {
  override setApiRoutes(routes: Parameters<FastifyAdapter['setApiRoutes']>[0]) {
    super.setApiRoutes(routes.filter(({ method }) => method === 'get'))
    return this
  }
}

/**
 * Every queue of the catalogue, to be looked at: bull-board without its buttons. Nothing here writes to Redis; that it
 * could not is for the user of the connection to see to (deploy/container/redis.conf, `user board`).
 */
export async function openBoard(
  redis: RedisConnection,
  { refusalOf, pages }: BoardOptions,
): Promise<{ readonly app: FastifyInstance } & AsyncDisposable> {
  const queues = Object.keys(JOBS).map((name) => {
    // Opening a queue usually notes the version of who opened it.
    const queue = new Queue(name, { connection: redis.producer, skipMetasUpdate: true, skipVersionCheck: true })
    queue.on('error', () => {}) // The connection tells of outages, once.
    return queue
  })
  const server = new LookingOnly()
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: server,
    options: {
      ...(pages && { uiBasePath: pages }),
      // Who works on a queue is in a list of connections, which this user of Redis may not see.
      uiConfig: { boardTitle: 'Countersign: queues', showWorkers: false, hideDocsLink: true },
    },
  })
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 1024, requestTimeout: 10_000 })
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS)
    const { host, authorization } = request.headers
    const refusal = refusalOf({ method: request.method, host, authorization })
    if (refusal) return reply.code(refusal.status).headers(refusal.headers).type('text/plain').send(`${refusal.say}\n`)
  })
  await app.register(server.registerPlugin())
  return {
    app,
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(queues.map((queue) => queue.close()))
    },
  }
}
