import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Finding } from '#core/finding.ts'

const run = promisify(execFile)
/** The first that the compose files were tried with. */
const OLDEST_ENGINE = [20, 10] as const
/** The first that knows a settings file which need not be there (`required`). */
const OLDEST_COMPOSE = [2, 24] as const
const PATIENCE_MS = 10_000
const INSTALL =
  'Ubuntu: sudo apt install docker.io docker-compose-v2; Debian and others: https://docs.docker.com/engine/install'

/** `docker <args>`: what it prints, or why not. */
export type AskDocker = (...args: string[]) => Promise<{ readonly said: string; readonly problem?: string }>

export const askDocker: AskDocker = async (...args) => {
  try {
    const { stdout } = await run('docker', args, { timeout: PATIENCE_MS })
    return { said: stdout.trim() }
  } catch (error) {
    const { code, stderr = '', killed } = error as NodeJS.ErrnoException & { stderr?: string; killed?: boolean }
    const problem = code === 'ENOENT' ? 'ENOENT' : killed ? `no answer within ${PATIENCE_MS / 1000} s` : stderr.trim()
    return { said: '', problem: problem || String(code) }
  }
}

/** Whether Docker and Compose are there, new enough, and this person's to use. */
export async function dockerFindings(ask: AskDocker = askDocker): Promise<Finding[]> {
  const engine = await ask('version', '--format', '{{.Server.Version}}')
  if (engine.problem !== undefined) return [{ check: 'docker', result: 'failed', ...sayProblem(engine.problem) }]
  const compose = await ask('compose', 'version', '--short')
  return [
    isOlder(engine.said, OLDEST_ENGINE)
      ? tooOld('docker', engine.said, OLDEST_ENGINE)
      : { check: 'docker', result: 'ok', found: `version ${engine.said}` },
    compose.problem === undefined
      ? isOlder(compose.said, OLDEST_COMPOSE)
        ? tooOld('compose', compose.said, OLDEST_COMPOSE)
        : { check: 'compose', result: 'ok', found: `version ${compose.said}` }
      : {
          check: 'compose',
          result: 'failed',
          found:
            'Docker has no command `compose` here; `docker-compose`, with a hyphen, is its old form and does not do',
          hint: `Install Compose v2. ${INSTALL}`,
        },
  ]
}

function sayProblem(problem: string): { found: string; hint: string } {
  if (problem === 'ENOENT') return { found: 'Docker is not installed', hint: INSTALL }
  if (/permission denied/i.test(problem))
    return {
      found: 'Docker is there, and this user may not use it',
      hint: 'Run sudo usermod -aG docker "$USER", log out and in again (whoever may use Docker is as powerful as root)',
    }
  if (/cannot connect|is the docker daemon running|no answer/i.test(problem))
    return { found: 'Docker is installed, and does not run', hint: 'Start it: sudo systemctl enable --now docker' }
  return { found: `Docker does not answer: ${problem}`, hint: 'See what is said: docker version' }
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, found = 0, foundMinor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number)
  return found < major || (found === major && foundMinor < minor)
}

function tooOld(check: string, version: string, oldest: readonly [number, number]): Finding {
  return { check, result: 'failed', found: `version ${version}; ${oldest.join('.')} or newer is needed`, hint: INSTALL }
}
