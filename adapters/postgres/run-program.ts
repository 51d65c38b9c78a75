import { spawn } from 'node:child_process'
import { CountersignError } from '#core/errors.ts'

/** Where PostgreSQL's programs are looked for: the image's own, then a machine's. */
const SEARCH_PATH =
  '/usr/lib/postgresql/17/bin:/usr/lib/postgresql/18/bin:/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin'
const MAX_CHARS = 20_000

export interface Server {
  /** A name, or the folder of a socket. */
  readonly host: string
  readonly user: string
  readonly password?: string
}

export function serverEnvironment({ host, user, password }: Server): Record<string, string> {
  return {
    PATH: SEARCH_PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    PGHOST: host,
    PGUSER: user,
    PGCONNECT_TIMEOUT: '10',
    ...(password && { PGPASSWORD: password }),
  }
}

/** Runs a program to its end and gives what it printed. Throws ERR_BACKUP_FAILED with the last it said. */
export async function runProgram(
  what: string,
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: string,
): Promise<string> {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text}`.slice(-MAX_CHARS)
  })
  // It may end before it has read everything; its exit code tells.
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  const closed = Promise.withResolvers<number | null>()
  child.once('error', closed.reject)
  child.once('close', closed.resolve)
  const exitCode = await closed.promise.catch((cause: unknown) => {
    throw new CountersignError('ERR_BACKUP_FAILED', `${what}: ${program} could not be started`, { cause })
  })
  if (exitCode === 0) return output
  const said = errors.trim().split('\n').slice(-3).join(' ').slice(0, 400)
  throw new CountersignError('ERR_BACKUP_FAILED', `${what}: ${said || `${program} ended with ${exitCode}`}`)
}
