import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { SEARCH_PATH } from './run-git.ts'

export interface SshAccess {
  /** Private key that opens the hub; 0600. */
  readonly deployKeyFile: string
  /** The only host keys believed. */
  readonly knownHostsFile: string
}

const SOCKET = 'hub'
const SOCKET_DIR = /^cs-ssh-[0-9a-f]{16}$/

/**
 * The ssh program and its options. One connection is opened and kept for a minute after its last use: a fresh
 * handshake costs more than everything else of a push. Disposing closes it; what a killed process left open is closed
 * by the next on the same git directory, which the caller has locked.
 */
export function shareConnection(access: SshAccess, gitDir: string): { readonly words: readonly string[] } & Disposable {
  const record = join(gitDir, 'countersign-ssh-dir')
  const left = existsSync(record) ? readFileSync(record, 'utf8') : ''
  if (SOCKET_DIR.test(basename(left))) closeConnection(left)
  // In the temporary folder: a socket's path is limited to about 100 bytes, and not every volume can hold one.
  const socketDir = join(tmpdir(), `cs-ssh-${randomBytes(8).toString('hex')}`)
  writeFileSync(record, socketDir, { flush: true })
  mkdirSync(socketDir, { mode: 0o700 })
  return {
    words: sshWords(access, join(socketDir, SOCKET)),
    [Symbol.dispose]() {
      closeConnection(socketDir)
      rmSync(record, { force: true })
    },
  }
}

function closeConnection(socketDir: string): void {
  const socket = join(socketDir, SOCKET)
  if (existsSync(socket))
    spawnSync('ssh', ['-F', '/dev/null', '-o', `ControlPath=${socket}`, '-O', 'exit', 'hub'], {
      env: { PATH: SEARCH_PATH },
      stdio: 'ignore',
      timeout: 2_000,
    })
  rmSync(socketDir, { recursive: true, force: true })
}

function sshWords({ deployKeyFile, knownHostsFile }: SshAccess, socket: string): string[] {
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
}

/** As one line for `core.sshCommand`, which git gives to a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
}

/** Where an ssh address leads: `ssh://user@host:port/path` or `user@host:path`, as arguments of ssh. */
export function sshTarget(url: string): string[] {
  if (!url.startsWith('ssh://')) return [url.slice(0, url.indexOf(':'))]
  const { username, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return [...(port ? ['-p', port] : []), username ? `${decodeURIComponent(username)}@${host}` : host]
}
