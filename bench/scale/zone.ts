import { execFile } from 'node:child_process'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ComposeZone } from '#tests/support/compose.ts'
import { until } from '../../demo/until.ts'
import { cpuSeconds, memoryMb } from '../sync/usage.ts'

const run = promisify(execFile)
/** What a round of work goes through, one row each in the table of what is used. */
export const SERVICES = ['drafter', 'sync', 'hub', 'redis', 'egress', 'triage', 'health', 'prometheus'] as const
export type ServiceName = (typeof SERVICES)[number]
const ASK_SELF = "fetch('http://127.0.0.1:8080/metrics').then(r=>r.text()).then(t=>process.stdout.write(t))"
const READY_LIMIT_MS = 180_000

/** The main processes of a service's containers, as this machine numbers them. */
export async function pidsOf(zone: ComposeZone, service: ServiceName): Promise<number[]> {
  const ids = await idsOf(zone, service)
  if (ids.length === 0) return []
  const { stdout } = await run('docker', ['inspect', '-f', '{{.State.Pid}}', ...ids])
  return stdout.trim().split('\n').map(Number)
}

export async function idsOf(zone: ComposeZone, service: string): Promise<string[]> {
  return (await zone.compose('ps', '-q', service)).split('\n').filter(Boolean)
}

/** Processor seconds so far, by service. */
export function processorSeconds(pids: ReadonlyMap<ServiceName, readonly number[]>): Map<ServiceName, number> {
  return new Map([...pids].map(([service, roots]) => [service, cpuSeconds(roots)]))
}

/** Proportional megabytes of each container of a service. */
export function memoryOf(pids: readonly number[]): number[] {
  return pids.map((pid) => memoryMb([pid]).pss)
}

/** How many drafts each replica has handed in since it began, in no order. */
export async function draftsByReplica(zone: ComposeZone): Promise<number[]> {
  const ids = await idsOf(zone, 'drafter')
  const texts = await Promise.all(ids.map((id) => run('docker', ['exec', id, 'node', '-e', ASK_SELF])))
  return texts.map(({ stdout }) => {
    const [, value = '0'] = /^countersign_drafts_total\{[^}]*outcome="drafted"[^}]*\} (\d+)/m.exec(stdout) ?? []
    return Number(value)
  })
}

/** So many drafters, as `docker compose up --scale` makes them; resolves when each takes jobs. */
export async function scaleTo(zone: ComposeZone, replicas: number, signal: AbortSignal): Promise<void> {
  await zone.compose('up', '-d', '--no-deps', '--scale', `drafter=${replicas}`, 'drafter')
  const isReady = (id: string) =>
    run('docker', ['exec', id, 'node', '-e', READY]).then(
      () => true,
      () => false,
    )
  await until(
    `${replicas} drafters to be ready`,
    async () => (await Promise.all((await idsOf(zone, 'drafter')).map(isReady))).every(Boolean),
    { limitMs: READY_LIMIT_MS, signal },
  )
}

const READY = "fetch('http://127.0.0.1:8080/readyz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"

/** The settings of the zone, to which lines can be added for what is made from now on. */
export async function settingsOf(
  zone: ComposeZone,
): Promise<(added: Readonly<Record<string, string>>) => Promise<void>> {
  const file = join(zone.home, '.env.cloud')
  const own = await readFile(file, 'utf8')
  return async (added) => {
    // In place: it belongs to whoever the containers run as.
    await writeFile(file, own)
    await appendFile(
      file,
      `\n${Object.entries(added)
        .map(([name, value]) => `${name}=${value}\n`)
        .join('')}`,
    )
  }
}
