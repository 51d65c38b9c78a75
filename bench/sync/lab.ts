import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Supervisor } from '#runtime/supervisor.ts'
import { cacheFolder } from '../../demo/debian-packages.ts'
import { freePorts } from '../../demo/free-ports.ts'
import { type Reaper, removeFolder, startReaper, WORLD_PREFIX } from '../../demo/reaper.ts'
import { findRedis, redisCommand, redisContainer, redisProcess } from '../../demo/redis.ts'
import { until } from '../../demo/until.ts'
import { bundle } from '../../scripts/bundle.ts'

/** Where everything of a run lives: one folder, one supervisor, one Redis. Disposing leaves nothing behind. */
export interface Lab extends AsyncDisposable {
  readonly root: string
  readonly supervisor: Supervisor
  /** Clears up after us when we are killed. */
  readonly reaper: Reaper
  readonly redis: { readonly label: string; readonly passwordFile: string; url(database: number): string }
  /** The bundles that the images hold. */
  readonly programs: Readonly<Record<'sync' | 'gate', string>>
  /** For child processes: what they need of our own environment. */
  readonly env: Record<string, string>
  readonly signal: AbortSignal
  say(line: string): void
}

export async function openLab(signal: AbortSignal, say: (line: string) => void): Promise<Lab> {
  await using opening = new AsyncDisposableStack()
  const reaper = startReaper()
  opening.defer(() => reaper.close())
  const root = mkdtempSync(join(tmpdir(), WORLD_PREFIX))
  reaper.add({ folder: root })
  opening.defer(() => removeFolder(root))
  mkdirSync(join(root, 'tmp'))
  const supervisor = new Supervisor({
    onSpawn: (group) => reaper.add({ group }),
    onGone: (group) => reaper.remove({ group }),
    onEvent: ({ process: name, event, detail }) => say(`${name} ${event}: ${detail}`),
  })
  const killAll = () => supervisor.killAll()
  process.once('exit', killAll)
  opening.defer(() => void process.off('exit', killAll))
  opening.defer(() => supervisor.stopAll())
  const env = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: root,
    TMPDIR: join(root, 'tmp'),
    NODE_COMPILE_CACHE: cacheFolder(process.env, 'compile'),
  }
  const redis = await startRedis({ root, reaper, supervisor, env, signal, say })
  const dist = join(root, 'dist')
  const entries = { sync: 'services/sync/main.ts', gate: 'services/hub/main.ts' }
  await bundle(entries, { root: resolve('.'), outDir: dist, acting: false })
  const programs = { sync: join(dist, 'sync.mjs'), gate: join(dist, 'gate.mjs') }
  const resources = opening.move()
  return {
    ...{ root, supervisor, reaper, redis, programs, env, signal, say },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function startRedis(
  lab: Pick<Lab, 'root' | 'reaper' | 'supervisor' | 'env' | 'signal' | 'say'>,
): Promise<Lab['redis']> {
  const found = await findRedis({ sources: ['path', 'docker', 'packages'], env: process.env, say: lab.say })
  const [port = 0] = await freePorts(1)
  const password = randomBytes(12).toString('hex')
  const passwordFile = join(lab.root, 'redis-password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  const dataDir = join(lab.root, 'redis')
  mkdirSync(dataDir)
  const instance = {
    name: 'bench/redis',
    port,
    password,
    dataDir,
    logFile: join(lab.root, 'redis.log'),
    world: lab.root,
  }
  const container = redisContainer(found, instance)
  if (container) lab.reaper.add({ container })
  await lab.supervisor.start(redisProcess(found, instance, lab.env))
  const limits = { limitMs: 30_000, signal: lab.signal }
  await until('Redis', async () => (await redisCommand(port, password, 'PING')).includes('PONG'), limits)
  return { label: found.label, passwordFile, url: (database) => `redis://127.0.0.1:${port}/${database}` }
}
