import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../demo/free-ports.ts'
import { until } from '../../demo/until.ts'
import { NODE_FLAGS } from '../../demo/zone-processes.ts'
import type { Lab } from './lab.ts'
import type { VaultWorld, ZoneName } from './vault-world.ts'

/** As in the images. */
const READY_LIMIT_MS = 900_000

/** The real sync service of one zone, with the settings it has out of the box. */
export interface SyncService extends AsyncDisposable {
  readonly vault: string
  readonly gitDir: string
  readonly pid: number
  /** From the start of the process until it is ready and has synchronised once. */
  readonly readyMs: number
  log(): string
}

export async function startSync(
  lab: Lab,
  world: VaultWorld,
  zone: ZoneName,
  options: { readonly hubUrl?: string; readonly nodeFlags?: readonly string[] } = {},
): Promise<SyncService> {
  const home = world.home(zone)
  const [port = 0] = await freePorts(1)
  const name = `${zone}/sync`
  const logFile = join(world.root, `${zone}-sync.log`)
  const startedAt = performance.now()
  await lab.supervisor.start({
    ...{ name, logFile, tier: 1, drainMs: 15_000 },
    command: process.execPath,
    args: [...NODE_FLAGS, ...(options.nodeFlags ?? []), lab.programs.sync],
    env: {
      ...lab.env,
      COUNTERSIGN_ZONE: zone,
      ...Object.fromEntries(
        ['vault', 'state', 'keys', 'trust'].map((one) => [`COUNTERSIGN_${one.toUpperCase()}`, join(home, one)]),
      ),
      COUNTERSIGN_HUB_URL: options.hubUrl ?? world.ssh.url,
      COUNTERSIGN_REDIS_URL: lab.redis.url(zone === 'cloud' ? 0 : 1),
      COUNTERSIGN_REDIS_PASSWORD_FILE: lab.redis.passwordFile,
      COUNTERSIGN_HTTP_PORT: String(port),
    },
  })
  const log = () => readFileSync(logFile, 'utf8')
  const stop = () => lab.supervisor.stop(name)
  try {
    const limits = { limitMs: READY_LIMIT_MS, signal: lab.signal }
    await until(`${name} to be ready`, () => isReady(lab, name, port), limits)
  } catch (error) {
    await stop()
    if (lab.signal.aborted) throw error
    throw new Error(`${name} does not get ready; its log ends:\n${log().slice(-2_000)}`, { cause: error })
  }
  const { pid = 0, restarts = 0 } = lab.supervisor.state().find((one) => one.name === name) ?? {}
  if (restarts > 0) {
    await stop()
    throw new Error(`${name} died at its start; its log ends:\n${log().slice(-2_000)}`)
  }
  return {
    ...{ pid, log, vault: join(home, 'vault'), gitDir: join(home, 'state/repo.git') },
    readyMs: performance.now() - startedAt,
    [Symbol.asyncDispose]: stop,
  }
}

/** Or has died, which no waiting mends: false would start it again and again. */
async function isReady({ supervisor }: Lab, name: string, port: number): Promise<boolean> {
  if (supervisor.state().some((one) => one.name === name && one.restarts > 0)) return true
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok
}
