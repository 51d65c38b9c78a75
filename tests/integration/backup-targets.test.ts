import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trustHost } from '#adapters/keys/trust-files.ts'
import { createSshKey } from '#adapters/keys/zone-keys.ts'
import { backUp } from '#services/backup/back-up.ts'
import { drill } from '#services/backup/drill.ts'
import { restore } from '#services/backup/restore.ts'
import { type BackupWorld, backupWorld, NOTE } from '#tests/support/backup-zone.ts'
import { hasS3, type S3Refusal, type S3Server, serveS3 } from '#tests/support/s3-server.ts'
import { type SftpServer, serveFiles } from '#tests/support/sftp-server.ts'
import { maySmallDisk, smallDisk } from '#tests/support/small-disk.ts'
import { hasSshd } from '#tests/support/sshd.ts'
import { restoreInto } from '../../cli/backup.ts'
import { freePorts } from '../../demo/free-ports.ts'

const code = (expected: string) => expect.objectContaining({ code: expected })

let world: BackupWorld
beforeAll(async () => {
  world = await backupWorld()
  writeFileSync(join(world.dir, 'wrong-password'), 'not the password')
})
afterAll(() => world?.[Symbol.dispose]())

/** There and back again, as the service and the commands do it; and with a wrong password. */
async function goThereAndBack(target: string, settings: readonly string[]): Promise<void> {
  appendFileSync(join(world.home, '.env.cloud'), `${settings.join('\n')}\n`)
  const { snapshot } = await backUp(await world.deps(target), true)
  const { ok, findings } = await drill(await world.deps(target))
  expect(findings.filter(({ result }) => result === 'failed')).toEqual([])
  expect(ok).toBe(true)
  const home = join(world.dir, `restored-${snapshot.slice(0, 8)}`)
  const passwordFile = join(world.home, 'secrets/backup-password')
  // A new machine has nothing but what its owner brings along.
  const brought = Object.fromEntries(settings.map((line) => line.split('=') as [string, string]))
  mkdirSync(join(home, 'secrets'), { recursive: true })
  await restore(await restoreInto(home, { target, passwordFile }, brought), {})
  expect(readFileSync(join(home, NOTE), 'utf8')).toBe(readFileSync(join(world.home, NOTE), 'utf8'))
  const wrong = await world.deps(target, join(world.dir, 'wrong-password'))
  await expect(wrong.store.list()).rejects.toThrow(code('ERR_BACKUP_PASSWORD'))
}

describe.skipIf(!hasSshd)('a server with SFTP (needs an sshd on this machine)', () => {
  let server: SftpServer
  let key: string
  const known = () => join(world.home, 'trust/known_hosts')
  const at = (folder: string) => `sftp://${server.user}@127.0.0.1:${server.port}/${folder}`
  const learn = (hostKey: string) =>
    trustHost(join(world.home, 'trust'), { host: '127.0.0.1', port: server.port, hostKey })
  beforeAll(async () => {
    key = join(world.home, 'secrets/backup-ssh-key')
    server = await serveFiles(join(world.dir, 'sftp'), await createSshKey(key, 'backup'))
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  test('a host that is not in trust/known_hosts, or has another key, gets nothing', async () => {
    const target = at(join(world.dir, 'sftp-backups'))
    appendFileSync(join(world.home, '.env.cloud'), `COUNTERSIGN_BACKUP_SSH_KEY_FILE=${key}\n`)
    await expect(backUp(await world.deps(target), true)).rejects.toThrow(/Host key verification failed/)
    await learn(await createSshKey(join(world.dir, 'other-host'), 'other'))
    await expect(backUp(await world.deps(target), true)).rejects.toThrow(code('ERR_BACKUP_UNREACHABLE'))
    rmSync(known())
  })

  test('takes a backup and gives it back, by the key and the host key that the settings name', async () => {
    await learn(server.hostKey)
    const settings = [`COUNTERSIGN_BACKUP_SSH_KEY_FILE=${key}`, `COUNTERSIGN_BACKUP_KNOWN_HOSTS_FILE=${known()}`]
    await goThereAndBack(at(join(world.dir, 'sftp-backups')), settings)
  })

  test('a key that it does not take, and a server that is gone, are told as such', async () => {
    const other = join(world.dir, 'other-key')
    await createSshKey(other, 'other')
    appendFileSync(join(world.home, '.env.cloud'), `COUNTERSIGN_BACKUP_SSH_KEY_FILE=${other}\n`)
    const refused = await world.deps(at(join(world.dir, 'sftp-backups')))
    await expect(refused.store.id()).rejects.toThrow(code('ERR_BACKUP_UNREACHABLE'))
    appendFileSync(join(world.home, '.env.cloud'), `COUNTERSIGN_BACKUP_SSH_KEY_FILE=${key}\n`)
    const [port] = await freePorts(1)
    const gone = await world.deps(`sftp://${server.user}@127.0.0.1:${port}/backups`)
    await expect(gone.store.id()).rejects.toThrow(code('ERR_BACKUP_UNREACHABLE'))
  })

  test.runIf(maySmallDisk())('a full one is told as full, at once', async () => {
    const dir = join(world.dir, 'sftp-disk')
    using disk = smallDisk(dir)
    const deps = await world.deps(at(join(dir, 'backups')))
    await deps.store.create()
    disk.fill()
    await expect(backUp(deps, true)).rejects.toThrow(code('ERR_BACKUP_FULL'))
  })
})

describe.skipIf(!hasS3)('S3 (needs moto in this machine’s Python)', () => {
  let server: S3Server
  const at = (folder: string) => `s3:http://${server.host}/${folder}`
  beforeAll(async () => {
    writeFileSync(join(world.home, 'secrets/backup-s3-key'), 'AKIDEXAMPLE\nnot a secret\n')
    server = await serveS3()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  test('takes a backup and gives it back', async () => {
    const key = join(world.home, 'secrets/backup-s3-key')
    await goThereAndBack(at('backups/cloud'), [`COUNTERSIGN_BACKUP_S3_KEY_FILE=${key}`])
  })

  test.each<[S3Refusal, string]>([
    ['wrong secret', 'ERR_BACKUP_UNREACHABLE'],
    ['wrong key', 'ERR_BACKUP_UNREACHABLE'],
    ['forbidden', 'ERR_BACKUP_UNREACHABLE'],
    ['full', 'ERR_BACKUP_FULL'],
    ['quota', 'ERR_BACKUP_FULL'],
  ])('one that refuses is told as such, at once: %s', async (how, expected) => {
    const deps = await world.deps(at('backups/cloud'))
    server.refuse(how)
    try {
      const write = () => deps.store.save(join(world.home, 'trust'), { agent: 'cloud', zone: 'cloud' })
      await expect(expected === 'ERR_BACKUP_FULL' ? write() : deps.store.id()).rejects.toThrow(code(expected))
    } finally {
      server.refuse(undefined)
    }
  })

  test('a server that is gone is told as such', async () => {
    const [port] = await freePorts(1)
    const gone = await world.deps(`s3:http://127.0.0.1:${port}/backups/cloud`)
    await expect(gone.store.id()).rejects.toThrow(code('ERR_BACKUP_UNREACHABLE'))
  })
})
