import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { appRoutes } from '@bull-board/api/dist/routes.js'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePorts } from '../../demo/free-ports.ts'
import { startWatchedRedis, type WatchedRedis } from '../support/watched-redis.ts'

const root = join(import.meta.dirname, '../..')
const PASSWORD = 'long enough to be beyond guessing'
const JOB = { taskId: '01J8Z3W6Q0ABCDEFGHJKMNPQRS', generation: 2 }

let zone: WatchedRedis
let folder: string
let board: ChildProcess
let port = 0
let admin: Redis
let queue: Queue
const stray: string[] = []

beforeAll(async () => {
  zone = await startWatchedRedis()
  const host = await zone.address('redis')
  admin = new Redis({ host, password: await zone.secret('redis-password'), maxRetriesPerRequest: null })
  queue = new Queue('draft', { connection: admin })
  // One job of each kind that something could be done to.
  await queue.add('draft-reply', JOB, { jobId: 'ended' })
  const worker = new Worker('draft', null, { connection: admin, autorun: false })
  await (await worker.getNextJob('token'))?.moveToFailed(new Error('as it happens'), 'token', false)
  await worker.close()
  await queue.add('draft-reply', JOB, { jobId: 'waits' })
  await queue.add('draft-reply', JOB, { jobId: 'later', delay: 3_600_000 })
  await queue.upsertJobScheduler('daily', { every: 86_400_000 }, { name: 'draft-reply', data: JOB })

  folder = await mkdtemp(join(tmpdir(), 'countersign-board-'))
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const [health = 0, open = 0] = await freePorts(2)
  port = open
  board = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'services/board/main.ts')], {
    env: {
      PATH: process.env.PATH,
      COUNTERSIGN_ZONE: 'cloud',
      COUNTERSIGN_HTTP_PORT: String(health),
      COUNTERSIGN_REDIS_URL: `redis://board@${host}:6379`,
      COUNTERSIGN_REDIS_PASSWORD_FILE: await file('redis-board', await zone.secret('redis-board')),
      COUNTERSIGN_BOARD_PORT: String(port),
      COUNTERSIGN_BOARD_PASSWORD_FILE: await file('board-password', PASSWORD),
    },
  })
  for (const stream of [board.stdout, board.stderr]) stream?.on('data', (data) => stray.push(String(data)))
  const ready = () =>
    fetch(`http://127.0.0.1:${health}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  await vi.waitUntil(ready, { timeout: 20_000, interval: 100 })
}, 90_000)

afterAll(async () => {
  if (board?.exitCode === null) {
    board.kill()
    await once(board, 'exit')
  }
  await queue?.close()
  admin?.disconnect()
  await zone?.[Symbol.asyncDispose]()
  if (folder) await rm(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** A request whose Host is what the test says, which `fetch` does not allow. */
function ask(path: string, options: { method?: string; host?: string; password?: string | false; body?: string } = {}) {
  const { method = 'GET', host = `localhost:${port}`, password = PASSWORD, body } = options
  const authorization = `Basic ${Buffer.from(`owner:${password}`).toString('base64')}`
  const headers = {
    host,
    ...(password !== false && { authorization }),
    ...(body && { 'content-type': 'application/json' }),
  }
  return new Promise<Answer>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, async (answer) => {
      let text = ''
      for await (const part of answer) text += part
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** All that Redis holds, to the byte. */
async function everything(): Promise<Record<string, string>> {
  const names = (await admin.scan(0, 'COUNT', 10_000))[1].sort()
  const read = async (name: string): Promise<unknown> => {
    switch (await admin.type(name)) {
      case 'hash':
        return admin.hgetall(name)
      case 'list':
        return admin.lrange(name, 0, -1)
      case 'zset':
        return admin.zrange(name, '0', '-1', 'WITHSCORES')
      case 'set':
        return (await admin.smembers(name)).sort()
      case 'stream':
        return admin.xrange(name, '-', '+')
      default:
        return admin.get(name)
    }
  }
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, JSON.stringify(await read(name))])))
}

const routes = appRoutes.api.flatMap((route) =>
  [route.route].flat().map((path) => ({ method: String(route.method).toUpperCase(), path: String(path) })),
)
const filled = (path: string, jobId: string) =>
  path
    .replace(':queueName', 'draft')
    .replace(':jobId', jobId)
    .replace(':schedulerId', 'daily')
    .replace(':queueStatus', 'delayed')

describe('the board', () => {
  it('shows its owner what stands in the queues', async () => {
    const { status, text } = await ask('/api/queues?activeQueue=draft&status=latest&page=1&jobsPerPage=10')
    expect(status).toBe(200)
    const { queues } = JSON.parse(text) as { queues: { name: string; readOnlyMode: boolean; jobs: { id: string }[] }[] }
    expect(queues.map(({ name }) => name).sort()).toEqual(['draft', 'execute', 'sync'])
    expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true)
    const ids = queues.find(({ name }) => name === 'draft')?.jobs.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['waits', 'later', 'ended']))
    expect((await ask('/api/queues/draft/waits')).text).toContain(JOB.taskId)
  })

  it('answers every question there is, though its user of Redis may not write', async () => {
    const reading = routes.filter(({ method }) => method === 'GET')
    expect(reading.length).toBeGreaterThan(8)
    for (const { path } of reading) {
      const { status, text } = await ask(filled(path, 'waits'))
      // Who works on a queue stands in a list of all connections, which it may not see.
      expect(path.endsWith('/workers') ? [403] : [200, 404], `${path}: ${text}`).toContain(status)
      expect(text).not.toMatch(/NOPERM/)
    }
    for (const path of ['/', '/queue/draft', '/queue/draft/waits']) {
      const { status, text } = await ask(path)
      expect(status).toBe(200)
      expect(text).toContain('Countersign: queues')
    }
  })

  const changing = routes.filter(({ method }) => method !== 'GET')
  it('has more than twenty ways to change something to refuse', () => {
    expect(changing.length).toBeGreaterThan(20)
  })

  it('refuses each of them, and Redis stays as it is to the byte', async () => {
    const before = await everything()
    expect(Object.keys(before).length).toBeGreaterThan(5)
    for (const { method, path } of changing)
      for (const job of ['waits', 'later', 'ended']) {
        const body = JSON.stringify({
          name: 'draft-reply',
          data: {},
          options: {},
          jobData: {},
          concurrency: 1,
          force: true,
        })
        const { status } = await ask(filled(path, job), { method, body })
        expect(status, `${method} ${path}`).toBe(405)
      }
    for (const path of changing.map((route) => filled(route.path, 'waits')))
      expect([200, 404]).toContain((await ask(path)).status)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      expect((await ask('/api/queues/draft/waits/clean', { method })).status).toBe(405)
    expect(await everything()).toEqual(before)
  })

  it('could not if it were told to: BullMQ itself, as the board’s user of Redis, is refused', async () => {
    const before = await everything()
    const host = await zone.address('redis')
    const connection = new Redis({
      host,
      username: 'board',
      password: await zone.secret('redis-board'),
      maxRetriesPerRequest: null,
    })
    const asBoard = new Queue('draft', { connection, skipMetasUpdate: true })
    asBoard.on('error', () => {})
    const job = await asBoard.getJob('later')
    const tries: (() => unknown)[] = [
      () => asBoard.add('draft-reply', JOB),
      () => asBoard.pause(),
      () => asBoard.resume(),
      () => asBoard.drain(true),
      () => asBoard.clean(0, 100, 'delayed'),
      () => asBoard.obliterate({ force: true }),
      () => asBoard.promoteJobs(),
      () => asBoard.retryJobs(),
      () => asBoard.setGlobalConcurrency(1),
      () => asBoard.removeJobScheduler('daily'),
      () => asBoard.upsertJobScheduler('hourly', { every: 3_600_000 }),
      () => job?.remove(),
      () => job?.promote(),
      () => job?.updateData({ ...JOB, generation: 3 }),
      () => job?.changeDelay(0),
      () => job?.changePriority({ priority: 1 }),
    ]
    const refused: string[] = []
    const done: string[] = []
    for (const attempt of tries) {
      const name = /\.(\w+)\(/.exec(String(attempt))?.[1] ?? ''
      const error = await Promise.resolve()
        .then(attempt)
        .then(() => undefined, String)
      if (/NOPERM|ACL failure/.test(error ?? '')) refused.push(name)
      else done.push(`${name}: ${error}`)
    }
    expect(done).toEqual([])
    await asBoard.close()
    connection.disconnect()
    expect(await everything()).toEqual(before)
  })

  it('lets nobody in without the password, not even to a picture or to what is not there', async () => {
    for (const path of ['/', '/api/queues', '/static/images/logo.svg', '/nothing', '/static/../../package.json'])
      for (const password of [false, '', 'x', PASSWORD.slice(0, -1), `${PASSWORD}x`] as const) {
        const { status, headers, text } = await ask(path, { password })
        expect(status, `${path} ${password}`).toBe(401)
        expect(headers['www-authenticate']).toContain('Basic')
        expect(text).not.toContain('draft')
      }
  })

  it.each([
    'evil.example',
    'localhost.evil.example',
    'evil.example:8090',
    '127.0.0.1.evil.example',
    '127.0.0.2',
    '0.0.0.0',
    'board:8090',
    '169.254.169.254',
    'localhost:8090@evil.example',
  ])('does not answer to the name %s, even with the password', async (host) => {
    const { status, text } = await ask('/api/queues', { host })
    expect(status).toBe(421)
    expect(text).not.toContain('draft')
  })

  it.each(['localhost', 'LOCALHOST:8790', '127.0.0.1:1', '[::1]:8790'])('answers to %s', async (host) => {
    expect((await ask('/api/queues', { host })).status).toBe(200)
  })

  it('tells browsers to keep it to themselves, refusals included', async () => {
    for (const answer of [
      await ask('/'),
      await ask('/', { password: false }),
      await ask('/', { host: 'evil.example' }),
    ]) {
      expect(answer.headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
      expect(answer.headers['content-security-policy']).not.toMatch(/https?:|script-src[^;]*unsafe/)
      expect(answer.headers).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      })
    }
  })

  it('lets no page of its package lead out of it', async () => {
    for (const path of ['/static/..%2f..%2fpackage.json', '/static/%2e%2e/%2e%2e/package.json', '/static//etc/passwd'])
      expect([400, 403, 404], path).toContain((await ask(path)).status)
  })

  it('does not start with a password that can be guessed', async () => {
    await writeFile(join(folder, 'short'), 'hunter2', { mode: 0o600 })
    const started = spawn(process.execPath, [join(root, 'services/board/main.ts')], {
      env: {
        PATH: process.env.PATH,
        COUNTERSIGN_ZONE: 'cloud',
        COUNTERSIGN_HTTP_PORT: '0',
        COUNTERSIGN_REDIS_URL: 'redis://board@127.0.0.1:1',
        COUNTERSIGN_BOARD_PASSWORD_FILE: join(folder, 'short'),
      },
    })
    let said = ''
    started.stdout.on('data', (data) => {
      said += data
    })
    expect((await once(started, 'exit'))[0]).toBe(2)
    expect(said).toContain('shorter than 16')
    expect(said).not.toContain('hunter2')
  })

  it('writes no password and no name of a task into its log', () => {
    expect(stray.join('')).toContain('the board is open')
    expect(stray.join('')).not.toMatch(new RegExp(`${PASSWORD}|${JOB.taskId}|NOPERM`))
  })
})
