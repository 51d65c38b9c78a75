import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SEARCH_PATH } from '#adapters/git/run-git.ts'
import { shareConnection, shellLine } from '#adapters/git/ssh.ts'
import type { VaultWorld, ZoneName } from './vault-world.ts'

/** Runs git as a script would, with one ssh connection that stays open between the commands. */
export interface RemoteGit extends Disposable {
  (args: readonly string[], input?: string | Uint8Array): Buffer
}

export function remoteGit(world: VaultWorld, zone: ZoneName, folder: string, env: Record<string, string>): RemoteGit {
  const [keys, trust] = ['keys', 'trust'].map((name) => join(world.home(zone), name)) as [string, string]
  const socketRecord = join(world.root, `${zone}-plain`)
  mkdirSync(socketRecord, { recursive: true })
  const access = { deployKeyFile: join(keys, 'deploy'), knownHostsFile: join(trust, 'known_hosts') }
  const connection = shareConnection(access, socketRecord)
  const run = (args: readonly string[], input?: string | Uint8Array) =>
    execFileSync('git', args, {
      cwd: folder,
      ...(input !== undefined && { input }),
      maxBuffer: 2 ** 28,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: {
        PATH: SEARCH_PATH,
        HOME: world.root,
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_SSH_COMMAND: shellLine(connection.words),
        ...env,
      },
    })
  return Object.assign(run, { [Symbol.dispose]: () => connection[Symbol.dispose]() })
}
