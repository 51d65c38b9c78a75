import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { ZoneHome } from '../zone-home.ts'

/** The containers of a zone on this machine. */
export interface ZoneServices {
  /** Which run now, by the names of the compose file. */
  running(): Promise<readonly string[]>
  /** Starts those of them anew that run, one after another; gives which. */
  restart(services: readonly string[]): Promise<string[]>
  /** Runs a program in one of them; `input` is its standard input. Gives what it said; rejects when it failed. */
  exec(service: string, args: readonly string[], input: string): Promise<string>
}

const LIMIT_MS = 120_000
const ROOT = resolve(import.meta.dirname, '../..')

/** undefined: there is no Docker here, or no compose file in this folder or beside the program. */
export async function servicesOf(home: ZoneHome, env: NodeJS.ProcessEnv): Promise<ZoneServices | undefined> {
  const name = `compose.${home.zone}.yml`
  const folder = [process.cwd(), ROOT].find((one) => existsSync(join(one, name)))
  if (folder === undefined) return undefined
  const { uid, gid } = await stat(home.root)
  const told = {
    ...{ COUNTERSIGN_UID: String(uid || 1000), COUNTERSIGN_GID: String(gid || 1000) },
    ...env,
    [`COUNTERSIGN_${home.zone.toUpperCase()}_HOME`]: home.root,
  }
  const compose = (args: readonly string[], input = '') =>
    run(['compose', '-f', join(folder, name), ...args], { cwd: folder, env: told, input })
  const running = async () =>
    (await compose(['ps', '--services', '--status', 'running'])).split('\n').filter((line) => line !== '')
  if ((await running().catch(() => undefined)) === undefined) return undefined
  return {
    running,
    async restart(services) {
      const up = await running()
      const those = services.filter((one) => up.includes(one))
      for (const one of those) await compose(['restart', one])
      return those
    },
    exec: (service, args, input) => compose(['exec', '-T', service, ...args], input),
  }
}

function run(
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly input: string },
): Promise<string> {
  const { promise, resolve: done, reject } = Promise.withResolvers<string>()
  const { cwd, env, input } = options
  const child = spawn('docker', args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], timeout: LIMIT_MS })
  let [said, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = `${errors}${text}`.slice(-2_000)))
  child.stdin.on('error', () => {}) // It ended before it had read all.
  child.stdin.end(input)
  child.once('error', reject)
  child.once('close', (code) => {
    if (code === 0) return done(said)
    const why = (errors || said).trim().split('\n').at(-1) ?? ''
    reject(
      new CountersignError('ERR_NOT_RUNNING', `docker ${args.slice(3, 6).join(' ')}: ${why || `ended with ${code}`}`),
    )
  })
  return promise
}
