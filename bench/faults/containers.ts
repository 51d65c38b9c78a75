import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { ComposeZone } from '#tests/support/compose.ts'

const run = promisify(execFile)

/** A service of a zone in its container, as its host sees it. */
export interface Target {
  readonly name: string
  /** The service's own process, by its number on this machine; undefined while there is none. */
  pid(): Promise<number | undefined>
  isReady(): Promise<boolean>
  /** What its container takes, MB, as `docker stats` reckons: without what the kernel could give back at once. */
  memory(): Promise<number>
}

export function target(zone: ComposeZone, service: string): Target {
  // Both stay over restarts of a container.
  let id: string | undefined
  let addresses: string[] = []
  const inspected = async () => {
    id ??= (await zone.compose('ps', '-a', '-q', service)).trim()
    return askDocker(`/containers/${id}/json`) as Promise<Inspected>
  }
  return {
    name: `${zone.project.split('-').at(-1)}/${service}`,
    async pid() {
      const init = (await inspected()).State.Pid
      if (!init) return undefined
      const children = await readFile(`/proc/${init}/task/${init}/children`, 'utf8').catch(() => '')
      const [first] = children.split(' ').filter(Boolean).map(Number)
      return first
    },
    async isReady() {
      // A container that waits to be started again has none.
      if (addresses.length === 0)
        addresses = Object.values((await inspected()).NetworkSettings.Networks)
          .map(({ IPAddress }) => IPAddress)
          .filter(Boolean)
      for (const ip of addresses) {
        const signal = AbortSignal.timeout(1_000)
        const answer = await fetch(`http://${ip}:8080/readyz`, { signal }).catch(() => undefined)
        await answer?.body?.cancel()
        if (answer?.ok) return true
      }
      return false
    },
    async memory() {
      id ??= (await zone.compose('ps', '-a', '-q', service)).trim()
      const { memory_stats } = (await askDocker(`/containers/${id}/stats?stream=false`)) as Stats
      const { total_inactive_file, inactive_file = 0 } = memory_stats.stats
      return (memory_stats.usage - (total_inactive_file ?? inactive_file)) / 1e6
    },
  }
}

interface Inspected {
  readonly State: { readonly Pid: number }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

interface Stats {
  readonly memory_stats: {
    readonly usage: number
    /** The first in cgroup v1, the second in v2. */
    readonly stats: { readonly total_inactive_file?: number; readonly inactive_file?: number }
  }
}

/** Over the engine's socket: a process for each look would be much of what is measured. */
async function askDocker(path: string): Promise<unknown> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ socketPath: '/var/run/docker.sock', path, timeout: 10_000 }, resolve).on('error', reject)
  })
  return json(answer)
}

/** Asks node's inspector inside the container (SIGUSR1 opens it on loopback) to run something in the service's own process. */
const INJECT = `
const until = Date.now() + 5000
let list
while (!list && Date.now() < until) {
  list = await fetch('http://127.0.0.1:9229/json/list').then((one) => one.json()).catch(() => undefined)
  if (!list) await new Promise((done) => setTimeout(done, 50))
}
const socket = new WebSocket(list[0].webSocketDebuggerUrl)
await new Promise((done) => { socket.onopen = done })
socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: process.argv[1] } }))
setTimeout(() => process.exit(0), 200)`

/** Runs an expression in the process of that number. */
export async function inject(pid: number, expression: string): Promise<void> {
  process.kill(pid, 'SIGUSR1')
  const script = [process.execPath, '--input-type=module', '-e', INJECT, expression]
  await run('nsenter', ['--target', String(pid), '--net', ...script], { timeout: 20_000 })
}
