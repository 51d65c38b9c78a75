import { readdir, readFile, readlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import type { Finding } from '#core/finding.ts'
import type { Zone } from '#core/zone-policy.ts'
import { type AskDocker, askDocker } from './doctor-docker.ts'

/** A port that the zone's compose file publishes on this machine. */
export interface PublishedPort {
  readonly port: number
  /** The service of the compose file that is to have it. */
  readonly service: string
  readonly hint: string
}

/** Whether each port is free, or this zone's own service has it; and who has it otherwise, where that can be known. */
export async function portFindings(
  zone: Zone,
  ports: readonly PublishedPort[],
  ask: AskDocker = askDocker,
): Promise<Finding[]> {
  return Promise.all(
    ports.map(async ({ port, service, hint }): Promise<Finding> => {
      const check = `port ${port}`
      const container = await containerAt(port, ask)
      if (container?.isOf(zone, service)) return { check, result: 'ok', found: `this zone's own ${service} has it` }
      if (!container?.name && (await isFree(port))) return { check, result: 'ok', found: `free for ${service}` }
      const holder = container?.name ? `the container ${container.name}` : await processAt(port)
      const found = `taken by ${holder}; this zone's ${service} needs it`
      if (container) return { check, result: 'failed', found, hint }
      return { check, result: 'skipped', found: `taken; whether by this zone's own ${service}, Docker alone can tell` }
    }),
  )
}

/** Its name is empty when there is none; undefined when Docker cannot be asked. */
async function containerAt(port: number, ask: AskDocker) {
  const format =
    '{{.Names}}\t{{.Label "com.docker.compose.project.config_files"}}\t{{.Label "com.docker.compose.service"}}'
  const { said, problem } = await ask('ps', '--filter', `publish=${port}`, '--format', format)
  if (problem !== undefined) return undefined
  const [name = '', files = '', service = ''] = said.split('\n')[0]?.split('\t') ?? []
  return {
    name,
    isOf: (zone: Zone, wanted: string) => service === wanted && files.includes(`compose.${zone}.yml`),
  }
}

/** Whether it can be listened at; of a port that only root may take, whether nobody answers there. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ port, host: '0.0.0.0', exclusive: true }, resolve)
    })
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' && (await inodeAt(port)) === undefined
  } finally {
    server.close()
  }
}

/** In words. */
async function processAt(port: number): Promise<string> {
  const inode = await inodeAt(port)
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const open = await readdir(`/proc/${pid}/fd`).catch(() => []) // somebody else's
    for (const fd of open)
      if ((await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')) === `socket:[${inode}]`)
        return `${await programOf(pid)} (process ${pid})`
  }
  return `a program that only root can see (sudo ss -ltnp 'sport = :${port}')`
}

/** By how it was called: the kernel's own name for it may be that of a thread. */
async function programOf(pid: string): Promise<string> {
  const [program = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
  return basename(program) || 'a program'
}

/** Of the socket that listens there, as Linux lists it. */
async function inodeAt(port: number): Promise<string | undefined> {
  const LISTENS = '0A'
  const at = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const line of (await readFile(table, 'utf8').catch(() => '')).split('\n')) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
      if (state === LISTENS && local.endsWith(`:${at}`)) return inode
    }
  return undefined
}
