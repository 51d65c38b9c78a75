import { describe, expect, it } from 'vitest'
import { HealthState } from './health-state.ts'
import { createHttp, listen } from './http.ts'
import { createMetrics } from './metrics.ts'

const metrics = createMetrics({ service: 'sync', zone: 'cloud', version: '0.1.0' })
const setUp = () => {
  let now = 0
  let beats = 0
  const health = new HealthState({ onBeat: () => beats++, monotonic: () => now, checkLimitMs: 50 })
  const documents = new Map<string, () => unknown>()
  const app = createHttp(health, metrics, documents)
  const get = async (url: string) => {
    const response = await app.inject({ url })
    return { status: response.statusCode, body: response.json() as unknown }
  }
  return { health, app, get, documents, pass: (ms: number) => (now += ms), beats: () => beats }
}

describe('/readyz', () => {
  it('is false until the service is ready', async () => {
    const { health, get } = setUp()
    expect(await get('/readyz')).toEqual({ status: 503, body: { ok: false, state: 'starting', checks: {} } })
    health.state = 'ready'
    expect(await get('/readyz')).toEqual({ status: 200, body: { ok: true, state: 'ready', checks: {} } })
    health.state = 'draining'
    expect(await get('/readyz')).toMatchObject({ status: 503 })
  })

  it('names the checks and what is wrong with them', async () => {
    const { health, get } = setUp()
    health.state = 'ready'
    health.addCheck('redis', () => true)
    expect(await get('/readyz')).toMatchObject({ status: 200, body: { checks: { redis: { ok: true } } } })
    health.addCheck('hub', async () => 'no answer from ssh://hub')
    health.addCheck('imap', () => Promise.reject(new Error('wrong password')))
    expect(await get('/readyz')).toEqual({
      status: 503,
      body: {
        ok: false,
        state: 'ready',
        checks: {
          redis: { ok: true },
          hub: { ok: false, detail: 'no answer from ssh://hub' },
          imap: { ok: false, detail: 'wrong password' },
        },
      },
    })
  })

  it('answers although a check hangs', async () => {
    const { health, get } = setUp()
    health.state = 'ready'
    health.addCheck('hub', () => new Promise(() => {}))
    expect(await get('/readyz')).toMatchObject({ status: 503, body: { checks: { hub: { ok: false } } } })
  })

  it('says why a start is retried, and forgets what the failed start had registered', async () => {
    const { health, get } = setUp()
    health.addCheck('redis', () => 'gone')
    health.addProgress('cycle', 10)
    health.reset()
    health.startFault = 'ERR_REDIS_UNREACHABLE: cannot reach Redis'
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      body: { checks: { start: { ok: false, detail: 'ERR_REDIS_UNREACHABLE: cannot reach Redis' } } },
    })
    expect(await get('/livez')).toEqual({ status: 200, body: { ok: true, progress: {} } })
  })
})

describe('/livez', () => {
  it('is true while all registered work progresses in time, and names what does not', async () => {
    const { health, get, pass, beats } = setUp()
    const beat = health.addProgress('sync-cycle', 1_000)
    health.addProgress('other', 5_000)
    pass(1_000)
    expect(await get('/livez')).toMatchObject({ status: 200 })
    pass(1)
    expect(await get('/livez')).toEqual({
      status: 503,
      body: {
        ok: false,
        progress: {
          'sync-cycle': { ok: false, detail: 'no progress for 1001 ms, limit 1000 ms' },
          other: { ok: true },
        },
      },
    })
    beat()
    expect(beats()).toBe(1)
    expect(await get('/livez')).toMatchObject({ status: 200 })
  })
})

describe('the other paths', () => {
  it('serve metrics', async () => {
    const response = await setUp().app.inject({ url: '/metrics' })
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toContain('text/plain')
    expect(response.body).toContain('countersign_build_info{')
  })

  it('serve documents, made anew each time, and nothing else', async () => {
    const { get, documents } = setUp()
    let made = 0
    documents.set('/status', () => ({ made: ++made }))
    expect(await get('/status')).toEqual({ status: 200, body: { made: 1 } })
    expect(await get('/status?x=1')).toEqual({ status: 200, body: { made: 2 } })
    expect(await get('/other')).toMatchObject({ status: 404 })
  })
})

describe('listening', () => {
  it('tells the port it got, and which setting to correct when the port is taken', async () => {
    await using first = await listen(setUp().app, '127.0.0.1', 0)
    expect(first.port).toBeGreaterThan(0)
    await expect(listen(setUp().app, '127.0.0.1', first.port)).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringMatching(/COUNTERSIGN_HTTP_PORT.*EADDRINUSE/),
    })
  })
})
