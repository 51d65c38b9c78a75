import Fastify, { type FastifyInstance } from 'fastify'
import { CountersignError } from '#core/errors.ts'
import type { HealthState } from './health-state.ts'
import type { Metrics } from './metrics.ts'

/** A JSON document served beside the health endpoints, made anew for each request. */
export type Documents = Map<string, () => unknown>

/**
 * `/livez` (200 while work progresses), `/readyz` (200 when every named check passes; the checks as JSON either way),
 * `/metrics`, and the documents. Built apart from listening, so that tests can `inject`.
 */
export function createHttp(health: HealthState, metrics: Metrics, documents: Documents = new Map()): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 1024, requestTimeout: 10_000 })
  app.get('/livez', (_request, reply) => {
    const { ok, progress } = health.live()
    return reply.code(ok ? 200 : 503).send({ ok, progress })
  })
  app.get('/readyz', async (_request, reply) => {
    const result = await health.ready()
    return reply.code(result.ok ? 200 : 503).send(result)
  })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.expose()))
  app.get('/*', async (request, reply) => {
    const document = documents.get(request.url.split('?')[0] ?? '')
    if (!document) return reply.code(404).send({ error: 'not found' })
    return reply.type('application/json').send(JSON.stringify(await document()))
  })
  return app
}

/** Listens; throws ERR_CONFIG_INVALID when the address cannot be had. */
export async function listen(
  app: FastifyInstance,
  host: string,
  port: number,
): Promise<{ port: number } & AsyncDisposable> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const found = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `cannot listen on ${host} port ${port} (COUNTERSIGN_HTTP_HOST, COUNTERSIGN_HTTP_PORT): ${found}`,
      { cause: error },
    )
  }
  const address = app.server.address()
  return {
    port: address !== null && typeof address === 'object' ? address.port : port,
    [Symbol.asyncDispose]: () => app.close(),
  }
}
