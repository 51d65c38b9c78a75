import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { readAgents, trustHost } from '#adapters/keys/trust-files.ts'
import { createSshKey } from '#adapters/keys/zone-keys.ts'
import { renderAuthorizedKeys } from '#core/trust.ts'
import { freePorts } from '../../demo/free-ports.ts'
import type { Zones } from './git-zones.ts'

export const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find(existsSync)
export const hasSshd = SSHD !== undefined
export const HUB_SHELL = resolve('services/hub/hub-shell')

export interface SshHub extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly user: string
  readonly hostKeyFile: string
  /** The listening sshd; every connection is a child of it. */
  readonly pid: number
}

/** A hub behind a private sshd on loopback, run by the current user, with the authorized_keys the product writes. */
export async function serveHub(zones: Zones, repository: string): Promise<SshHub> {
  const dir = mkdtempSync(join(zones.root, 'sshd-'))
  const hostKeyFile = join(dir, 'host_key')
  const hostKey = await createSshKey(hostKeyFile, 'hub')
  const port = (await freePorts(1))[0] ?? 0
  const file = join(dir, 'authorized_keys')
  writeFileSync(file, renderAuthorizedKeys(await readAgents(zones.trustDir), { shell: HUB_SHELL, repository }))
  for (const { name } of zones.agents)
    await trustHost(join(zones.home(name), 'trust'), { host: '127.0.0.1', port, hostKey })
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKeyFile}`,
    `AuthorizedKeysFile ${file}`,
    'PidFile none',
    // Many clones come back at once after a cut.
    'MaxStartups 100',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin forced-commands-only',
    'AuthenticationMethods publickey',
    // Bash, started by sshd, reads the user's .bashrc, which may take longer than all that is tested: not in a nested one.
    'SetEnv SHLVL=2',
  ]
  writeFileSync(join(dir, 'config'), `${config.join('\n')}\n`)
  // Where sshd is started by root it wants this folder, which its package's service would make.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const server = spawn(SSHD ?? '', ['-D', '-e', '-f', join(dir, 'config')], { stdio: 'ignore' })
  await untilListening(port, server)
  const user = userInfo().username
  return {
    url: `ssh://${user}@127.0.0.1:${port}/vault.git`,
    port,
    user,
    hostKeyFile,
    pid: server.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((done) => server.once('exit', done))
      if (server.kill()) await ended
    },
  }
}

/** What the hub answers to any command sent with an agent's deploy key. */
export function sshCommand(zones: Zones, hub: SshHub, agent: string, command: string) {
  const key = join(zones.home(agent), 'keys', 'deploy')
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${join(zones.home(agent), 'trust', 'known_hosts')}`,
  ]
  const args = ['-F', '/dev/null', '-i', key, '-p', `${hub.port}`, ...options.flatMap((one) => ['-o', one])]
  return spawnSync('ssh', [...args, `${hub.user}@127.0.0.1`, command], { encoding: 'utf8', input: '', timeout: 20_000 })
}

export async function untilListening(port: number, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline && server.exitCode === null) {
    const isOpen = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => done(true)).on('error', () => done(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
    await new Promise((done) => setTimeout(done, 20))
  }
  throw new Error(`sshd does not listen on ${port} (exit code ${server.exitCode})`)
}
