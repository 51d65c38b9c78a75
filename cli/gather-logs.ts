import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { ZoneHome } from './zone-home.ts'

/** The logs of one source. */
export interface FoundLog {
  readonly source: string
  readonly text: string
}

export interface GatheredLogs {
  readonly logs: readonly FoundLog[]
  /** Where nothing could be read, and why. */
  readonly missing: readonly string[]
}

const MAX_OUTPUT = 256 * 1024 * 1024
const LIMIT_MS = 60_000
const root = join(import.meta.dirname, '..')

/** The services' logs of this zone: of the one-machine mode beside the zone home, and of its containers. */
export async function gatherLogs(home: ZoneHome, files: readonly string[]): Promise<GatheredLogs> {
  const missing: string[] = []
  const logs: FoundLog[] = []
  for (const file of files)
    logs.push({ source: file, text: await readFile(file === '-' ? '/dev/stdin' : file, 'utf8') })
  const folder = join(dirname(home.root), 'logs')
  if (existsSync(folder)) {
    for (const name of (await readdir(folder)).filter((one) => /\.log(\.\d+)?$/.test(one)).sort())
      logs.push({ source: join(folder, name), text: await readFile(join(folder, name), 'utf8') })
  } else missing.push(`${folder} is not there: both zones do not run as processes of this machine`)
  const containers = await containerLogs(home)
  if ('text' in containers) logs.push(containers)
  else missing.push(containers.why)
  return { logs, missing }
}

async function containerLogs(home: ZoneHome): Promise<FoundLog | { why: string }> {
  const file = join(root, `compose.${home.zone}.yml`)
  if (!existsSync(file)) return { why: `${file} is not there: containers are asked from the checkout` }
  const args = ['compose', '-f', file, 'logs', '--no-color', '--no-log-prefix', '--timestamps=false']
  const env = { ...process.env, [`COUNTERSIGN_${home.zone.toUpperCase()}_HOME`]: home.root }
  try {
    const run = promisify(execFile)
    const { stdout } = await run('docker', args, { env, maxBuffer: MAX_OUTPUT, timeout: LIMIT_MS })
    if (stdout.trim() === '') return { why: 'docker compose logs: no container of this zone has logged anything' }
    return { source: `docker compose -f compose.${home.zone}.yml logs`, text: stdout }
  } catch (error) {
    const { message } = error as Error
    return { why: `docker compose logs: ${message.trim().split('\n').at(-1) || 'no answer'}` }
  }
}
