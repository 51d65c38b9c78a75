import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, describe, expect, it, vi } from 'vitest'

const LIMIT = { timeout: 10_000, interval: 20 }
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Runs a service whose start has this body, in a process of its own: signals and exit codes are what is tested. */
function service(startBody: string, config: Record<string, unknown> = {}) {
  const settings = {
    zone: 'cloud',
    agent: 'cloud',
    httpHost: '127.0.0.1',
    httpPort: 0,
    logLevel: 'info',
    drainMs: 5_000,
    ...config,
  }
  const script = `
    import { runService } from '#runtime/service.ts'
    import { CountersignError } from '#core/errors.ts'
    let attempt = 0
    await runService('test', ${JSON.stringify(settings)}, async (service) => { attempt++; ${startBody} }, 20)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const lines = () =>
    output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return {
    exit,
    lines,
    signal: (name: NodeJS.Signals) => child.kill(name),
    said: (message: string) => vi.waitFor(() => expect(lines().map(({ msg }) => msg)).toContain(message), LIMIT),
    get: async (path: string) => {
      const port = lines().find(({ msg }) => msg === 'starting')?.port
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
  }
}

const opens = (name: string, close = '') =>
  `service.resources.defer(async () => { service.log.info({ name: '${name}' }, 'closed ${name}'); ${close} });`

describe('a service', () => {
  it('becomes ready, drains on SIGTERM closing in reverse order, and exits 0', async () => {
    const run = service(`${opens('first')} ${opens('second', 'await new Promise((done) => setTimeout(done, 50))')}`)
    await run.said('ready')
    expect(await run.get('/readyz')).toMatchObject({ status: 200, body: { state: 'ready' } })
    run.signal('SIGTERM')
    expect(await run.exit).toBe(0)
    expect(run.lines().map(({ msg }) => msg)).toEqual([
      'starting',
      'ready',
      'asked to stop',
      'draining',
      'closed second',
      'closed first',
      'stopped',
    ])
  })

  it('tells its parts that it is stopping, and is not ready while it drains', async () => {
    const run = service(`
      service.stopping.addEventListener('abort', () => service.log.info({}, 'intake ended'))
      service.resources.defer(() => new Promise((done) => { globalThis.done = done; process.on('SIGUSR2', done) }))`)
    await run.said('ready')
    run.signal('SIGINT')
    await run.said('draining')
    expect(await run.get('/readyz')).toMatchObject({ status: 503, body: { state: 'draining' } })
    run.signal('SIGUSR2')
    expect(await run.exit).toBe(0)
    expect(run.lines().map(({ msg }) => msg)).toContain('intake ended')
  })

  it('exits 1 on a second signal', async () => {
    const run = service('service.resources.defer(() => new Promise(() => {}))')
    await run.said('ready')
    run.signal('SIGINT')
    await run.said('draining')
    run.signal('SIGINT')
    expect(await run.exit).toBe(1)
  })

  it('exits 1 when the drain deadline passes', async () => {
    const run = service('service.resources.defer(() => new Promise(() => {}))', { drainMs: 50 })
    await run.said('ready')
    run.signal('SIGTERM')
    expect(await run.exit).toBe(1)
    expect(run.lines().at(-1)?.msg).toBe('drain deadline passed')
  })

  it('closes everything although one part fails to close, and exits 1', async () => {
    const run = service(`${opens('first')} ${opens('second', "throw new Error('stuck')")}`)
    await run.said('ready')
    run.signal('SIGTERM')
    expect(await run.exit).toBe(1)
    expect(run.lines().map(({ msg }) => msg)).toContain('closed first')
    expect(run.lines().at(-1)?.msg).toBe('failed')
  })

  it('retries a start that failed for a passing reason: alive, not ready, one line with what was tried and the hint', async () => {
    const run = service(`${opens('half')}
      if (attempt < 3) throw new CountersignError('ERR_REDIS_UNREACHABLE', 'cannot reach Redis at redis:6379')`)
    await run.said('ready')
    const retries = run.lines().filter(({ level }) => level === 'warn')
    expect(retries).toMatchObject([
      { msg: 'start failed: cannot reach Redis at redis:6379', attempt: 1, retryInMs: 20 },
      {
        attempt: 2,
        retryInMs: 40,
        err: { code: 'ERR_REDIS_UNREACHABLE', hint: expect.stringContaining('COUNTERSIGN_REDIS_URL') },
      },
    ])
    expect(run.lines().filter(({ msg }) => msg === 'closed half')).toHaveLength(2)
    expect((await run.get('/readyz')).status).toBe(200)
  })

  it('shows the fault of a start that is being retried, and still stops on a signal', async () => {
    const run = service(`throw new CountersignError('ERR_HUB_UNREACHABLE', 'cannot reach the hub')`)
    await run.said('start failed: cannot reach the hub')
    expect(await run.get('/readyz')).toMatchObject({
      status: 503,
      body: {
        state: 'starting',
        checks: { start: { ok: false, detail: expect.stringMatching(/^ERR_HUB_UNREACHABLE/) } },
      },
    })
    expect((await run.get('/livez')).status).toBe(200)
    run.signal('SIGTERM')
    expect(await run.exit).toBe(0)
  })

  it('stops on a signal although its start hangs, closing what was opened', async () => {
    const run = service(`${opens('half')} service.log.info({}, 'hanging'); await new Promise(() => {})`)
    await run.said('hanging')
    run.signal('SIGTERM')
    expect(await run.exit).toBe(0)
    expect(run.lines().map(({ msg }) => msg)).toContain('closed half')
  })

  it.each([
    [`throw new CountersignError('ERR_ZONE_FORBIDDEN', 'no')`, 1],
    [`throw new TypeError('a bug')`, 1],
    [`throw new CountersignError('ERR_CONFIG_INVALID', 'no')`, 2],
    [`setTimeout(() => service.fail(new CountersignError('ERR_LEDGER_BROKEN', 'no')), 20)`, 1],
    [`setTimeout(() => { throw new Error('nobody caught this') }, 20)`, 1],
    [`setTimeout(() => Promise.reject(new Error('nobody awaited this')), 20)`, 1],
  ])('ends with one logged error and its exit code: %s', async (body, code) => {
    const run = service(body)
    expect(await run.exit).toBe(code)
    expect(run.lines().filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  it('exits 2 when it cannot listen', async () => {
    const run = service('', { httpHost: '192.0.2.1' })
    expect(await run.exit).toBe(2)
  })
})
