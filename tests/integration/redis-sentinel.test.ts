import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis, type Sentinels } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { makeTaskId } from '#core/ids.ts'
import type { TaskJob } from '#core/jobs.ts'
import type { Log } from '#runtime/logger.ts'
import { freePorts } from '../../demo/free-ports.ts'

const PASSWORD = 'of-redis'
const SENTINEL_PASSWORD = 'of-sentinel'
const LIMIT = { timeout: 40_000, interval: 100 }
const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

let container: StartedTestContainer
let ports: [number, number, number]
let sentinels: Sentinels

/** One container, so that the address which Sentinel names is the one at which this machine reaches it. */
beforeAll(async () => {
  const [first = 0, second = 0, sentinel = 0] = await freePorts(3)
  ports = [first, second, sentinel]
  const server = (port: number, more: string) =>
    `redis-server --port ${port} --requirepass ${PASSWORD} --masterauth ${PASSWORD} --save '' ${more} --daemonize yes`
  const settings = [
    `port ${sentinel}`,
    `requirepass ${SENTINEL_PASSWORD}`,
    `sentinel monitor zone 127.0.0.1 ${first} 1`,
    `sentinel auth-pass zone ${PASSWORD}`,
    'sentinel down-after-milliseconds zone 1000',
    'sentinel failover-timeout zone 5000',
  ]
  const script = [
    server(first, ''),
    server(second, `--replicaof 127.0.0.1 ${first}`),
    `printf '${settings.join('\\n')}\\n' > /tmp/sentinel.conf`,
    'exec redis-server /tmp/sentinel.conf --sentinel',
  ].join(' && ')
  container = await new GenericContainer('redis:8')
    .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
    .withEntrypoint(['sh', '-c', script])
    .start()
  sentinels = { name: 'zone', hosts: [{ host: container.getHost(), port: sentinel }], password: SENTINEL_PASSWORD }
}, 60_000)
afterAll(() => container.stop())

const task = (): TaskJob => ({ taskId: makeTaskId(Date.now(), randomBytes(10)), generation: 1 })
const connect = (given = sentinels) => connectRedis('redis://not-asked:6379', PASSWORD, log, given)
/** Sentinel closes every connection of a server whose part changes. */
const at = (port: number, retryStrategy: () => number | null = () => 200) => {
  const client = new Redis({ host: container.getHost(), port, password: PASSWORD, retryStrategy })
  client.on('error', () => {})
  return client
}

it('says which name and which sentinels were asked when none of them knows a master', async () => {
  const wrong = { ...sentinels, name: 'other' }
  await expect(connect(wrong)).rejects.toMatchObject({
    code: 'ERR_REDIS_UNREACHABLE',
    message: expect.stringContaining(`other of ${container.getHost()}:${ports[2]}`),
  })
  await expect(connect({ ...sentinels, password: 'wrong' })).rejects.toMatchObject({ code: 'ERR_REDIS_UNREACHABLE' })
})

it('a queue goes on at the new master, and what is rung again is done there', async () => {
  const replica = at(ports[1])
  await vi.waitFor(async () => expect(await replica.info('replication')).toContain('master_link_status:up'), LIMIT)
  await using redis = await connect()
  await using doorbell = await openDoorbell(redis, log)
  const done: string[] = []
  await using _worker = await startWorker(
    redis,
    'draft',
    { 'draft-reply': async ({ taskId }) => void done.push(taskId) },
    { log },
  )
  const tasks = Array.from({ length: 20 }, task)
  // The vault: what is not done yet is rung for again, as a service's reconcile does.
  const reconcile = async () => {
    for (const one of tasks) if (!done.includes(one.taskId)) await doorbell.ring('draft', 'draft-reply', one)
  }
  for (const one of tasks.slice(0, 10)) await doorbell.ring('draft', 'draft-reply', one)
  await vi.waitFor(() => expect(done).toHaveLength(10), LIMIT)

  const master = at(ports[0], () => null)
  await master.shutdown('NOSAVE').catch(() => {})
  master.disconnect()
  await vi.waitFor(async () => expect(await replica.info('replication')).toContain('role:master'), LIMIT)
  replica.disconnect()
  await vi.waitFor(async () => {
    await reconcile()
    expect(new Set(done).size).toBe(20)
  }, LIMIT)
  expect(await redis.ping()).toBe(true)
  expect(done).toHaveLength(20)
}, 120_000)
