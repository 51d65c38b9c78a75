import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isGuardFresh } from '#adapters/keys/guard-file.ts'
import { readTrust, revokeAgent } from '#adapters/keys/trust-files.ts'
import { backUp } from '#services/backup/back-up.ts'
import { drill } from '#services/backup/drill.ts'
import { restore } from '#services/backup/restore.ts'
import { type BackupWorld, backupWorld, fillDatabase, fillRepository } from '#tests/support/backup-zone.ts'
import { backupOf, restoreInto } from '../../cli/backup.ts'
import { initZone } from '../../cli/init/init-zone.ts'
import { rotateKey } from '../../cli/rotate-key.ts'
import { knownSecrets } from '../../cli/zone-secrets.ts'

const FILES = ['vault/Notes/old.bundle', 'vault/Notes/newest.bundle', 'vault/Notes/contacts.sqlite']

let world: BackupWorld
beforeAll(async () => {
  world = await backupWorld()
})
afterAll(() => world[Symbol.dispose]())

test('bundles and databases of the person’s own are files like any other', async () => {
  const repository = join(world.dir, 'own.git')
  fillRepository(repository)
  const at = (path: string) => join(world.home, path)
  mkdirSync(at('vault/Notes'), { recursive: true })
  const bundle = (path: string, ...what: string[]) =>
    execFileSync('git', ['-C', repository, 'bundle', 'create', '--quiet', at(path), ...what])
  bundle('vault/Notes/old.bundle', 'main')
  // Of the last commit alone: it gives no repository by itself.
  bundle('vault/Notes/newest.bundle', 'main~1..main')
  fillDatabase(at('vault/Notes/contacts.sqlite'))

  await backUp(await world.deps())
  const { findings } = await drill(await world.deps())
  expect(findings.filter(({ result }) => result !== 'ok')).toEqual([])
  const home = join(world.dir, 'empty')
  await restore(await into(home), {})
  for (const path of FILES) expect(readFileSync(join(home, path)).equals(readFileSync(at(path)))).toBe(true)
  rmSync(home, { recursive: true })
})

test('a file that became another with the size and date of the one before is backed up as it is', async () => {
  const path = join(world.home, 'secrets/imap-password')
  await backUp(await world.deps())
  const { atime, mtime } = statSync(path)
  const other = readFileSync(path, 'utf8').replace('correct', 'another')
  writeFileSync(path, other)
  utimesSync(path, atime, mtime)
  await backUp(await world.deps())
  expect((await drill(await world.deps())).findings.filter(({ result }) => result !== 'ok')).toEqual([])
})

test('a key that was revoked after the backup stays revoked', async () => {
  await backUp(await world.deps())
  const home = join(world.dir, 'revoked')
  cpSync(world.home, home, { recursive: true })
  const trust = join(home, 'trust')
  expect((await readTrust(trust)).agents.map(({ name }) => name)).toEqual(['cloud'])
  const revoked = await revokeAgent(trust, 'cloud', null)
  await restore(await into(home), {})
  expect(await readTrust(trust)).toMatchObject({ agents: [], revoked: [revoked] })
})

test('a countersigning key that was retired after the backup stays retired, and the one that followed it stays in use', async () => {
  const root = join(world.dir, 'zones/local')
  const { home } = await initZone({ root, zone: 'local', settings: {}, secrets: {} })
  const target = join(world.dir, 'local-backups')
  await backUp(backupOf(home, { target }, {}))
  const key = () => readFileSync(join(home.keys, 'countersign.pem'), 'utf8')
  const retired = key()
  await rotateKey(home, {}, undefined, { now: Date.now })
  const rotated = { key: key(), trust: await readTrust(home.trust) }
  expect(rotated.key).not.toBe(retired)
  const password = join(home.secrets, 'backup-password')
  await restore(await restoreInto(root, { target, passwordFile: password }, {}), {})
  expect(key()).toBe(rotated.key)
  expect(await readTrust(home.trust)).toEqual(rotated.trust)
  expect(await isGuardFresh(home.keys, await knownSecrets(home))).toBe(true)
})

test('without the books of a zone that has some nothing is backed up', async () => {
  const failure = expect.objectContaining({ code: 'ERR_BACKUP_FAILED' })
  const books = join(world.home, 'odoo-db/PG_VERSION')
  writeFileSync(books, '17')
  await expect(backUp(await world.deps())).rejects.toEqual(failure)
  rmSync(books)
  // After a restore, until they are put back.
  mkdirSync(join(world.home, 'odoo-restore'))
  writeFileSync(join(world.home, 'odoo-restore/odoo.dump'), 'PGDMP')
  await expect(backUp(await world.deps())).rejects.toThrow('still to be put back')
  writeFileSync(join(world.home, '.env.cloud'), 'COUNTERSIGN_BACKUP_ODOO=off\n', { flag: 'a' })
  await backUp(await world.deps())
})

async function into(home: string) {
  const passwordFile = join(world.home, 'secrets/backup-password')
  return restoreInto(home, { target: world.target, passwordFile }, {})
}
