import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type ProcessSpec, Supervisor } from '#runtime/supervisor.ts'
import { freePorts } from '../../demo/free-ports.ts'

/** Waits for a condition; fails after 20 s. */
async function until<T>(condition: () => T | Promise<T>): Promise<Exclude<NonNullable<T>, false>> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const value = await condition()
    if (value) return value as Exclude<NonNullable<T>, false>
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function scripted(script: string, more: Partial<ProcessSpec> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'supervisor-'))
  await writeFile(join(folder, 'child.mjs'), script)
  const events: string[] = []
  const groups = new Set<number>()
  const supervisor = new Supervisor({
    onSpawn: (group) => groups.add(group),
    onGone: (group) => groups.delete(group),
    onEvent: ({ event }) => events.push(event),
  })
  const spec: ProcessSpec = {
    name: 'child',
    command: process.execPath,
    args: [join(folder, 'child.mjs')],
    env: { OUT: join(folder, 'out') },
    logFile: join(folder, 'log'),
    tier: 0,
    drainMs: 3_000,
    ...more,
  }
  onTestFinished(async () => {
    supervisor.killAll()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const output = () => readFile(join(folder, 'out'), 'utf8').catch(() => '')
  return { supervisor, spec, events, groups, output, folder }
}

const WRITE_PID = `import { appendFileSync } from 'node:fs'; appendFileSync(process.env.OUT, process.pid + '\\n');`
const pids = (text: string) => text.trim().split('\n').filter(Boolean).map(Number)

test('starts a killed process again', async () => {
  const { supervisor, spec, events, output } = await scripted(`${WRITE_PID} setInterval(() => {}, 1000)`)
  await supervisor.start(spec)
  const [first] = await until(async () => pids(await output()).length > 0 && pids(await output()))
  process.kill(first as number, 'SIGKILL')
  const [, second] = await until(async () => pids(await output()).length > 1 && pids(await output()))
  expect(isAlive(second as number)).toBe(true)
  expect([supervisor.state()[0]?.restarts, supervisor.state()[0]?.lastExit, events]).toEqual([1, 'SIGKILL', ['died']])
})

test('keeps trying a process that dies at once, less and less often', async () => {
  const { supervisor, spec, output } = await scripted(`${WRITE_PID} process.exit(7)`)
  await supervisor.start(spec)
  await until(async () => pids(await output()).length >= 4)
  expect(supervisor.state()[0]?.lastExit).toBe('exit 7')
})

test('keeps a command that does not exist as restarting and says why', async () => {
  const { supervisor, spec } = await scripted('', { command: '/nowhere/at-all' })
  await supervisor.start(spec)
  await until(() => supervisor.state()[0]?.lastExit?.includes('ENOENT'))
})

test('ends and replaces a process whose livez hangs', async () => {
  const [port = 0] = await freePorts(1)
  const script = `${WRITE_PID} import { createServer } from 'node:http'
    let asked = 0
    createServer((request, response) => { if (process.pid && asked++ < 1) response.end('ok') }).listen(${port}, '127.0.0.1')`
  const { supervisor, spec, events, output } = await scripted(script, { livezUrl: `http://127.0.0.1:${port}/livez` })
  await supervisor.start(spec)
  await until(async () => pids(await output()).length > 1)
  expect(events.slice(0, 2)).toEqual(['hung', 'died'])
}, 30_000)

test('drains on stop and leaves nothing of the group, grandchildren included', async () => {
  const script = `${WRITE_PID} import { spawn } from 'node:child_process'
    const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    appendFileSync(process.env.OUT, grandchild.pid + '\\n')
    process.on('SIGTERM', () => { appendFileSync(process.env.OUT, '0\\n'); process.exit(0) })`
  const { supervisor, spec, groups, output } = await scripted(script)
  await supervisor.start(spec)
  const [child, grandchild] = await until(async () => pids(await output()).length === 2 && pids(await output()))
  await supervisor.stopAll()
  expect(pids(await output()).at(-1)).toBe(0)
  await until(() => !isAlive(child as number) && !isAlive(grandchild as number))
  expect([...groups]).toEqual([])
})

test('kills what does not drain in time', async () => {
  const script = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); ${WRITE_PID}`
  const { supervisor, spec, output } = await scripted(script, { drainMs: 200 })
  await supervisor.start(spec)
  await until(async () => pids(await output()).length > 0)
  await supervisor.stopAll()
  expect(supervisor.state()).toMatchObject([{ status: 'stopped', lastExit: 'SIGKILL' }])
})

test('stops the highest tier first', async () => {
  const { supervisor, spec, folder } = await scripted(
    `${WRITE_PID} process.on('SIGTERM', () => { appendFileSync(process.env.ORDER, process.env.NAME + '\\n'); process.exit() }); setInterval(() => {}, 1000)`,
  )
  const order = join(folder, 'order')
  for (const [name, tier] of [
    ['redis', 0],
    ['sync', 1],
    ['triage', 2],
  ] as const) {
    await supervisor.start({ ...spec, name, tier, env: { OUT: join(folder, name), ORDER: order, NAME: name } })
    await until(() => readFile(join(folder, name), 'utf8').catch(() => ''))
  }
  await supervisor.stopAll()
  expect(await readFile(order, 'utf8')).toBe('triage\nsync\nredis\n')
})

test('hands over stdin and starts nothing again after a stop', async () => {
  const { supervisor, spec, output } = await scripted(
    `import { appendFileSync } from 'node:fs'; process.stdin.on('data', (text) => appendFileSync(process.env.OUT, text)); setInterval(() => {}, 1000)`,
    { stdin: 'requirepass x\n' },
  )
  await supervisor.start(spec)
  await until(async () => (await output()) === 'requirepass x\n')
  await supervisor.stop('child')
  expect(supervisor.state()).toMatchObject([{ status: 'stopped', restarts: 0 }])
})
