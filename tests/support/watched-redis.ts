import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { changeOwner } from '../../cli/init/change-owner.ts'
import { initZone } from '../../cli/init/init-zone.ts'
import type { ZoneHome } from '../../cli/zone-home.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const uid = process.getuid?.() || 1000
const gid = process.getgid?.() || 1000

/** Services of compose.cloud.yml that need nothing of ours, in a zone home of their own. */
export interface WatchedRedis extends AsyncDisposable {
  /** Where this machine reaches a service; its network has no way out, and yet a way in from here. */
  address(service: string): Promise<string>
  /** `secrets/<name>` of the zone. */
  secret(name: string): Promise<string>
  logs(service: string): Promise<string>
  readonly home: ZoneHome
  /** With which `docker compose` means these containers. */
  readonly env: NodeJS.ProcessEnv
}

/** Starts Redis with its users, and the exporters, just as compose.cloud.yml does; waits until Redis is healthy. */
export async function startWatchedRedis(...services: string[]): Promise<WatchedRedis> {
  const home = await mkdtemp(join(tmpdir(), 'countersign-watched-'))
  const { home: zoneHome } = await initZone({ root: home, zone: 'cloud', settings: {}, secrets: {} })
  if (process.getuid?.() === 0) await changeOwner(home, { uid, gid })
  const env = {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME },
    ...{ COUNTERSIGN_CLOUD_HOME: home, COUNTERSIGN_UID: String(uid), COUNTERSIGN_GID: String(gid) },
  }
  const project = `countersign-watched-${randomBytes(4).toString('hex')}`
  const compose = async (...args: string[]) => {
    const prefix = ['compose', '-p', project, '-f', join(root, 'compose.cloud.yml')]
    return (await run('docker', [...prefix, ...args], { env, cwd: root })).stdout
  }
  const dispose = async () => {
    await compose('down', '-v', '-t', '1')
    await rm(home, { recursive: true, force: true })
  }
  try {
    await compose('up', '-d', '--wait', '--wait-timeout', '60', 'redis', ...services)
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    ...{ home: zoneHome, env: { ...process.env, ...env, COMPOSE_PROJECT_NAME: project } },
    async address(service) {
      const container = (await compose('ps', '-q', service)).trim()
      const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}'
      const { stdout } = await run('docker', ['inspect', '-f', format, container])
      return stdout.split(' ')[0] ?? ''
    },
    secret: async (name) => (await readFile(join(home, 'secrets', name), 'utf8')).trim(),
    logs: (service) => compose('logs', '--no-color', service),
    [Symbol.asyncDispose]: dispose,
  }
}
