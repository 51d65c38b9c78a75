import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SEARCH_PATH } from './run-git.ts'

export interface SshAccess {
  /** Private key that opens the hub; 0600. */
  readonly deployKeyFile: string
  /** The only host keys believed. */
  readonly knownHostsFile: string
}

/**
 * The ssh command for `core.sshCommand`. One connection is opened and kept for a minute after its last use: a fresh
 * handshake costs more than everything else of a push. Disposing closes it.
 */
export function shareConnection(access: SshAccess): { readonly command: string } & Disposable {
  // In the temporary folder: a socket's path is limited to about 100 bytes, and not every volume can hold one.
  const socketDir = mkdtempSync(join(tmpdir(), 'cs-ssh-'))
  const socket = join(socketDir, 'hub')
  return {
    command: sshCommand(access, socket),
    [Symbol.dispose]() {
      if (existsSync(socket))
        spawnSync('ssh', ['-F', '/dev/null', '-o', `ControlPath=${socket}`, '-O', 'exit', 'hub'], {
          env: { PATH: SEARCH_PATH },
          stdio: 'ignore',
          timeout: 2_000,
        })
      rmSync(socketDir, { recursive: true, force: true })
    },
  }
}

function sshCommand({ deployKeyFile, knownHostsFile }: SshAccess, socket: string): string {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'PreferredAuthentications=publickey',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile="${knownHostsFile}"`,
    'GlobalKnownHostsFile=/dev/null',
    'UpdateHostKeys=no',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'ConnectTimeout=5',
    'ServerAliveInterval=5',
    'ServerAliveCountMax=3',
    'ControlMaster=auto',
    `ControlPath="${socket}"`,
    'ControlPersist=60',
  ]
  return ['ssh', '-F', '/dev/null', '-i', deployKeyFile, ...options.flatMap((option) => ['-o', option])]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ')
}
