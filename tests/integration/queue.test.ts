import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDoorbell, type ZoneDoorbell } from '#adapters/queue/doorbell.ts'
import { openQueueGauges } from '#adapters/queue/queue-gauges.ts'
import { connectRedis, type RedisConnection } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { CountersignError } from '#core/errors.ts'
import { makeTaskId } from '#core/ids.ts'
import type { TaskJob } from '#core/jobs.ts'
import type { Log, LogFields } from '#runtime/logger.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { freePorts } from '../../demo/free-ports.ts'

const PASSWORD = 'hunter2'
const LIMIT = { timeout: 20_000, interval: 20 }

let container: StartedTestContainer
let url: string

const messages: string[] = []
const record = (fields: LogFields, message: string) => void messages.push(`${message} ${JSON.stringify(fields)}`)
const log: Log = { debug: () => {}, info: record, warn: record, error: record }

beforeAll(async () => {
  const [port = 0] = await freePorts(1)
  container = await new GenericContainer('redis:8')
    .withExposedPorts({ container: 6379, host: port }) // Kept over a restart, unlike a random one.
    .withCommand(['redis-server', '--requirepass', PASSWORD])
    .start()
  url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`
})
afterAll(() => container.stop())

/** On a connection that does not come back: ioredis would send the command again to the next Redis. */
async function stopRedis(): Promise<void> {
  const killer = new Redis(url, { password: PASSWORD, retryStrategy: () => null })
  killer.on('error', () => {})
  await killer.shutdown('NOSAVE').catch(() => {})
}

const task = (): TaskJob => ({ taskId: makeTaskId(Date.now(), randomBytes(10)), generation: 1 })

/** A zone: connection, doorbell, and a worker on the draft queue that writes down what it was given. */
async function openZone(handler: (payload: TaskJob) => Promise<void> = async () => {}) {
  const stack = new AsyncDisposableStack()
  const redis: RedisConnection = stack.use(await connectRedis(url, PASSWORD, log))
  const doorbell: ZoneDoorbell = stack.use(await openDoorbell(redis, log))
  const taken: TaskJob[] = []
  const outcomes: string[] = []
  let beats = 0
  const work = async () =>
    stack.use(
      await startWorker(
        redis,
        'draft',
        {
          'draft-reply': async (payload) => {
            taken.push(payload)
            await handler(payload)
          },
        },
        { log, onOutcome: (outcome) => outcomes.push(outcome), onProgress: () => beats++, canaryEveryMs: 50 },
      ),
    )
  const close = () => stack.disposeAsync()
  return { redis, doorbell, taken, outcomes, work, beats: () => beats, close, [Symbol.asyncDispose]: close }
}

describe('the queue of a zone', () => {
  beforeEach(async () => {
    messages.length = 0
    await using zone = await openZone()
    await zone.redis.producer.flushall()
  })

  it('delivers a job once, however often the same bell is rung', async () => {
    await using zone = await openZone()
    const [first, second] = [task(), task()]
    for (let ring = 0; ring < 5; ring++) await zone.doorbell.ring('draft', 'draft-reply', first)
    await zone.doorbell.ring('draft', 'draft-reply', second)
    expect(await zone.doorbell.counts('draft')).toEqual({ waiting: 2, active: 0, delayed: 0, failed: 0 })
    await zone.work()
    await vi.waitFor(() => expect(zone.outcomes).toEqual(['done', 'done']), LIMIT)
    expect(zone.taken).toEqual([first, second])
    // The worker's canary may be on its way.
    const left = async () => expect(await zone.doorbell.counts('draft')).toMatchObject({ waiting: 0, failed: 0 })
    await vi.waitFor(left, LIMIT)
  })

  it('brings work along with each canary, which is no job', async () => {
    await using zone = await openZone()
    let [flown, beats] = [0, 0]
    const outcomes: string[] = []
    await using _worker = await startWorker(
      zone.redis,
      'sync',
      { 'sync-now': async () => {} },
      {
        ...{ log, canaryEveryMs: 50, onOutcome: (outcome: string) => void outcomes.push(outcome) },
        onProgress: () => beats++,
        onCanary: async () => void flown++,
      },
    )
    await vi.waitFor(() => expect(Math.min(flown, beats)).toBeGreaterThan(1), LIMIT)
    expect(outcomes).toEqual([])
  })

  it('tells at each scrape what stands in it and how long the next job has been waiting', async () => {
    await using zone = await openZone()
    const metrics = createMetrics({ service: 'drafter', zone: 'cloud', version: '0' }, () => Date.now() + 60_000)
    await using _gauges = await openQueueGauges(zone.redis, 'draft', metrics)
    const told = async () => {
      const exposed = await metrics.expose()
      const value = (line: RegExp) => Number(line.exec(exposed)?.[1])
      return [
        value(/^countersign_queue_jobs\{queue="draft",state="waiting",.*\} (.*)$/m),
        value(/^countersign_queue_oldest_age_seconds\{queue="draft",.*\} (.*)$/m),
      ]
    }
    expect(await told()).toEqual([0, 0])
    await zone.doorbell.ring('draft', 'draft-reply', task())
    await zone.doorbell.ring('draft', 'draft-reply', task(), { delayMs: 600_000 })
    const [waiting, age] = await told()
    expect(waiting).toBe(1)
    expect(age).toBeGreaterThanOrEqual(60)
    await zone.work()
    await vi.waitFor(async () => expect(await told()).toEqual([0, 0]), LIMIT)
  })

  it('can be rung again for the same task after the job ended, whether it succeeded or failed', async () => {
    let fail = true
    await using zone = await openZone(async () => {
      if (fail) throw new CountersignError('ERR_MAIL_UNREACHABLE', 'no answer')
    })
    await zone.work()
    const job = task()
    await zone.doorbell.ring('draft', 'draft-reply', job)
    await vi.waitFor(() => expect(zone.outcomes).toEqual(['failed']), LIMIT)
    expect(messages.join()).toContain('job failed: ERR_MAIL_UNREACHABLE: no answer')
    await vi.waitFor(
      async () => expect(await zone.doorbell.counts('draft')).toMatchObject({ active: 0, failed: 0 }),
      LIMIT,
    )
    fail = false
    await zone.doorbell.ring('draft', 'draft-reply', job)
    await vi.waitFor(() => expect(zone.outcomes).toEqual(['failed', 'done']), LIMIT)
  })

  it('loses nothing that the next reconcile cannot ring again when Redis is flushed', async () => {
    await using zone = await openZone()
    const job = task()
    await zone.doorbell.ring('draft', 'draft-reply', job)
    await zone.redis.producer.flushall()
    await zone.work()
    await zone.redis.producer.flushall()
    await zone.doorbell.ring('draft', 'draft-reply', job)
    await vi.waitFor(() => expect(zone.taken).toEqual([job]), LIMIT)
  })

  it('delivers a delayed ring when it is due', async () => {
    await using zone = await openZone()
    await zone.doorbell.ring('draft', 'draft-reply', task(), { delayMs: 60_000 })
    await zone.doorbell.ring('draft', 'draft-reply', task(), { delayMs: 100 })
    await zone.work()
    await vi.waitFor(() => expect(zone.outcomes).toEqual(['done']), LIMIT)
    const left = async () => expect(await zone.doorbell.counts('draft')).toMatchObject({ waiting: 0, delayed: 1 })
    await vi.waitFor(left, LIMIT)
  })

  it('keeps a ring without a task that comes while the last one is being answered', async () => {
    await using zone = await openZone()
    const gate = Promise.withResolvers<void>()
    let calls = 0
    const handlers = {
      'sync-now': async () => {
        calls++
        await gate.promise
      },
    }
    await using _worker = await startWorker(zone.redis, 'sync', handlers, { log })
    await zone.doorbell.ring('sync', 'sync-now', {})
    await vi.waitFor(() => expect(calls).toBe(1), LIMIT)
    for (let ring = 0; ring < 3; ring++) await zone.doorbell.ring('sync', 'sync-now', {})
    gate.resolve()
    await vi.waitFor(() => expect(calls).toBe(2), LIMIT)
    await vi.waitFor(
      async () => expect(await zone.doorbell.counts('sync')).toMatchObject({ waiting: 0, active: 0 }),
      LIMIT,
    )
    expect(calls).toBe(2)
  })

  it.each([
    ['a job name of no catalogue', 'rm -rf', { taskId: '01JD0000000000000000000000', generation: 1 }],
    ['a name that every object has', 'constructor', {}],
    ['a job of another queue', 'execute-approved', { taskId: '01JD0000000000000000000000', generation: 1 }],
    ['no task id', 'draft-reply', { generation: 1 }],
    ['a path for a task id', 'draft-reply', { taskId: '../../etc/passwd', generation: 1 }],
    ['content that no job carries', 'draft-reply', { taskId: '01JD0000000000000000000000', generation: 1, to: 'x@y' }],
    ['no object', 'draft-reply', 'boo'],
  ])('drops a forged job with %s', async (_, name, data) => {
    await using zone = await openZone()
    const forger = new Queue('draft', { connection: zone.redis.producer })
    await forger.add(name, data, { attempts: 50 })
    await zone.work()
    const real = task()
    await zone.doorbell.ring('draft', 'draft-reply', real)
    await vi.waitFor(() => expect(zone.outcomes).toEqual(['dropped', 'done']), LIMIT)
    expect(zone.taken).toEqual([real])
    expect(messages.join()).toContain('dropped a job that is not of the catalogue')
    expect(messages.join()).not.toContain('passwd')
    await forger.close()
  })

  it('does not try a failing job again, whatever attempts it brought along', async () => {
    await using zone = await openZone(() => Promise.reject(new Error('no')))
    const forger = new Queue('draft', { connection: zone.redis.producer })
    await forger.add('draft-reply', task(), { attempts: 50 })
    await zone.work()
    await vi.waitFor(async () => {
      expect(zone.outcomes.length).toBeGreaterThan(0)
      expect(await zone.doorbell.counts('draft')).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 })
    }, LIMIT)
    expect(zone.taken).toHaveLength(1)
    await forger.close()
  })

  it('finishes the running job before it closes', async () => {
    const gate = Promise.withResolvers<void>()
    const zone = await openZone(() => gate.promise)
    await zone.work()
    await zone.doorbell.ring('draft', 'draft-reply', task())
    await vi.waitFor(() => expect(zone.taken).toHaveLength(1), LIMIT)
    let closed = false
    const closing = zone.close().then(() => {
      closed = true
    })
    gate.resolve()
    await closing
    expect(closed).toBe(true)
    expect(zone.outcomes).toEqual(['done'])
  })

  it('shows progress through the queue itself, and none while jobs are not taken', async () => {
    const gate = Promise.withResolvers<void>()
    await using zone = await openZone(() => gate.promise)
    await zone.work()
    await vi.waitFor(() => expect(zone.beats()).toBeGreaterThan(3), LIMIT)
    await zone.doorbell.ring('draft', 'draft-reply', task())
    await vi.waitFor(() => expect(zone.taken).toHaveLength(1), LIMIT)
    const stuckAt = zone.beats()
    await vi.waitFor(async () => expect((await zone.doorbell.counts('draft')).waiting).toBe(1), LIMIT)
    expect(zone.beats()).toBe(stuckAt)
    gate.resolve()
    await vi.waitFor(() => expect(zone.beats()).toBeGreaterThan(stuckAt), LIMIT)
  })
})

describe('a Redis that is away', () => {
  it.each([
    ['nothing listens', 'redis://127.0.0.1:1', /^cannot reach Redis at 127\.0\.0\.1:1: ECONNREFUSED$/],
    ['the host is unknown', 'redis://nowhere.invalid:6379', /^cannot reach Redis at nowhere\.invalid:6379: E/],
  ])('is reported at once when %s', async (_, address, message) => {
    const failure = await connectRedis(address, PASSWORD, log).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'ERR_REDIS_UNREACHABLE',
      retryable: true,
      message: expect.stringMatching(message),
    })
    expect(String(failure)).not.toContain(PASSWORD)
  })

  it.each([['wrong-password'], [undefined]])('is reported when the password is %s', async (password) => {
    const failure = await connectRedis(url, password, log).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_REDIS_UNREACHABLE', message: expect.stringMatching(/WRONGPASS|NOAUTH/) })
    expect(String(failure)).not.toContain('wrong-password')
  })

  it('is reported when something listens that never answers', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { port } = mute.address() as AddressInfo
    await expect(connectRedis(`redis://127.0.0.1:${port}`, undefined, log)).rejects.toMatchObject({
      code: 'ERR_REDIS_UNREACHABLE',
    })
    mute.close()
  })

  it('is survived: rings resolve, readiness says why, work goes on when it is back', async () => {
    messages.length = 0
    await using zone = await openZone()
    await zone.work()
    const [before, during, after] = [task(), task(), task()]
    await zone.doorbell.ring('draft', 'draft-reply', before)
    await vi.waitFor(() => expect(zone.outcomes).toEqual(['done']), LIMIT)

    await stopRedis()
    await vi.waitFor(async () => expect(await zone.redis.ping()).toMatch(/^cannot reach Redis at /), LIMIT)
    await zone.doorbell.ring('draft', 'draft-reply', during)
    expect(messages.join('\n')).toMatch(/could not ring/)
    const beats = zone.beats()
    await vi.waitFor(() => expect(zone.beats()).toBeGreaterThan(beats), LIMIT)

    await container.restart()
    await vi.waitFor(async () => expect(await zone.redis.ping()).toBe(true), LIMIT)
    await zone.doorbell.ring('draft', 'draft-reply', after)
    await vi.waitFor(() => expect(zone.taken).toContainEqual(after), LIMIT)
    await zone.doorbell.ring('draft', 'draft-reply', during)
    await vi.waitFor(() => expect(zone.taken).toContainEqual(during), LIMIT)
    expect(messages.filter((message) => message.startsWith('lost Redis'))).toHaveLength(1)
    expect(messages.filter((message) => message.includes('is back'))).toHaveLength(1)
    expect(messages.join()).not.toContain(PASSWORD)
  })

  it('does not keep a service from stopping: the running job ends, nothing waits for Redis', async () => {
    const gate = Promise.withResolvers<void>()
    const zone = await openZone(() => gate.promise)
    await zone.work()
    await zone.doorbell.ring('draft', 'draft-reply', task())
    await vi.waitFor(() => expect(zone.taken).toHaveLength(1), LIMIT)
    await stopRedis()
    await vi.waitFor(async () => expect(await zone.redis.ping()).toMatch(/^cannot reach/), LIMIT)
    let closed = false
    const closing = zone.close().then(() => {
      closed = true
    })
    for (let turn = 0; turn < 5; turn++) await zone.redis.ping()
    expect(closed).toBe(false)
    gate.resolve()
    await closing
  }, 10_000)
})
