import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { createSshKey } from '#adapters/keys/zone-keys.ts'
import { freePorts } from '../../demo/free-ports.ts'
import { SSHD, untilListening } from './sshd.ts'

export interface SftpServer extends AsyncDisposable {
  readonly user: string
  readonly port: number
  readonly hostKey: string
}

/** A private sshd on loopback, run by the current user, that takes one key, and serves files to it and nothing else. */
export async function serveFiles(dir: string, publicKey: string): Promise<SftpServer> {
  mkdirSync(dir, { recursive: true })
  const hostKey = await createSshKey(join(dir, 'host_key'), 'backups')
  const [port = 0] = await freePorts(1)
  writeFileSync(join(dir, 'authorized_keys'), `restrict ${publicKey}\n`)
  const config = [
    ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${join(dir, 'host_key')}`],
    ...[`AuthorizedKeysFile ${join(dir, 'authorized_keys')}`, 'AuthenticationMethods publickey'],
    ...['PidFile none', 'UsePAM no', 'StrictModes no', 'PermitRootLogin yes', 'SetEnv SHLVL=2'],
    ...['Subsystem sftp internal-sftp', 'ForceCommand internal-sftp'],
  ]
  writeFileSync(join(dir, 'config'), `${config.join('\n')}\n`)
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const server = spawn(SSHD ?? '', ['-D', '-e', '-f', join(dir, 'config')], { stdio: 'ignore' })
  await untilListening(port, server)
  return {
    ...{ user: userInfo().username, port, hostKey },
    async [Symbol.asyncDispose]() {
      const ended = new Promise((done) => server.once('exit', done))
      if (server.kill()) await ended
    },
  }
}
