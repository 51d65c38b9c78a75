import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, onTestFinished, test } from 'vitest'
import { parsePrivateKey, readCountersignFile } from '#adapters/keys/countersign-key.ts'
import { isGuardFresh } from '#adapters/keys/guard-file.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { AskOnTerminal } from '../countersign-key.ts'
import { keyFindings } from '../doctor-key.ts'
import { initZone } from '../init/init-zone.ts'
import { environmentOf, openZoneHome } from '../zone-home.ts'
import { knownSecrets } from '../zone-secrets.ts'
import * as lockCommand from './lock.ts'
import * as unlockCommand from './unlock.ts'

const FIRST = 'the first passphrase'
const SECOND = 'the second passphrase'

async function zone(kind: Zone = 'local') {
  const root = await mkdtemp(join(tmpdir(), 'lock-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const { home } = await initZone({ root: join(root, kind), zone: kind, settings: {}, secrets: {} })
  const file = () => readCountersignFile(home.keys)
  const asked: string[] = []
  const run = async (module: typeof lockCommand, args: string[], answers?: string[]) => {
    const said: string[] = []
    const terminal: AskOnTerminal =
      answers &&
      ((use) =>
        use(async (question) => {
          asked.push(question)
          return answers.shift() ?? ''
        }))
    const command = new Command('countersign').exitOverride()
    module.configure(
      command,
      {
        ...{ json: true, env: {}, setExitCode: () => {}, say: () => {} },
        home: () => openZoneHome(home.root),
        anyHome: () => openZoneHome(home.root),
        answer: (_value, text) => void said.push(text),
      },
      terminal,
    )
    await command.parseAsync(args, { from: 'user' })
    return said.join('\n')
  }
  const secret = async (name: string, text: string) => {
    const path = join(root, name)
    await writeFile(path, `${text}\n`)
    return path
  }
  return {
    ...{ home, file, asked, secret },
    lock: (args: string[] = [], answers?: string[]) => run(lockCommand, args, answers),
    unlock: (args: string[] = [], answers?: string[]) => run(unlockCommand, args, answers),
    found: async () => (await keyFindings(home, environmentOf(home)))[0]?.found ?? '',
    isFresh: async () => isGuardFresh(home.keys, await knownSecrets(home)),
  }
}

test('a passphrase is set, changed, and taken off again; the key stays the same', async () => {
  const { file, secret, lock, unlock, isFresh } = await zone()
  const before = await file()
  const key = parsePrivateKey(before.path, before.pem)
  const [first, second] = [await secret('first', FIRST), await secret('second', SECOND)]

  expect(await lock(['--passphrase-file', first])).toMatch(/has a passphrase now[\s\S]*Restart sync/)
  const locked = await file()
  expect(parsePrivateKey(locked.path, locked.pem, FIRST).equals(key)).toBe(true)
  expect((await stat(locked.path)).mode & 0o777).toBe(0o600)
  expect(await isFresh()).toBe(true)

  await lock(['--passphrase-file', second, '--old-passphrase-file', first])
  const changed = await file()
  expect(() => parsePrivateKey(changed.path, changed.pem, FIRST)).toThrow('does not open it')
  expect(parsePrivateKey(changed.path, changed.pem, SECOND).equals(key)).toBe(true)

  expect(await unlock(['--passphrase-file', second])).toContain('has no passphrase any more')
  expect((await file()).pem).toBe(before.pem)
  expect(await isFresh()).toBe(true)
})

test('doing it again changes nothing', async () => {
  const { file, secret, lock, unlock } = await zone()
  const first = await secret('first', FIRST)
  expect(await unlock()).toContain('has no passphrase.')
  await lock(['--passphrase-file', first])
  const { pem } = await file()
  expect(await lock(['--passphrase-file', first])).toContain('has this passphrase already')
  expect((await file()).pem).toBe(pem)
})

test('on a terminal it is asked for twice, and for the present one where no setting names it', async () => {
  const { file, lock, unlock, asked } = await zone()
  await lock([], [FIRST, FIRST])
  await lock([], [SECOND, SECOND, FIRST])
  const { path, pem } = await file()
  expect(parsePrivateKey(path, pem, SECOND).type).toBe('private')
  expect(asked).toHaveLength(5)
  await unlock([], [SECOND])
  expect((await file()).isLocked).toBe(false)
})

test.each<[string, string[], RegExp]>([
  ['two different ones', [FIRST, SECOND], /not the same/],
  ['one that is too short', ['short', 'short'], /shorter than 12/],
  ['one with a character nobody sees', [`${FIRST}\u200b`, `${FIRST}\u200b`], /nobody can see/],
])('%s leave the key as it was', async (_what, answers, message) => {
  const { file, lock } = await zone()
  await expect(lock([], answers)).rejects.toMatchObject({ code: 'ERR_USAGE', message: expect.stringMatching(message) })
  expect((await file()).isLocked).toBe(false)
})

test('without the present passphrase nothing is changed', async () => {
  const { file, secret, lock, unlock } = await zone()
  await lock(['--passphrase-file', await secret('first', FIRST)])
  const { pem } = await file()
  const second = await secret('second', SECOND)
  const attempts = [
    () => lock(['--passphrase-file', second]),
    () => lock(['--passphrase-file', second, '--old-passphrase-file', second]),
    () => unlock(),
    () => unlock([], ['a wrong passphrase']),
  ]
  for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'ERR_KEY_LOCKED' })
  await expect(lock()).rejects.toMatchObject({ code: 'ERR_USAGE' })
  expect((await file()).pem).toBe(pem)
})

test('the file that the settings name opens it, and is said to be out of date when it no longer does', async () => {
  const { home, secret, lock, found } = await zone()
  const configured = join(home.secrets, 'countersign-passphrase')
  await writeFile(configured, FIRST, { mode: 0o600 })
  expect(await lock(['--passphrase-file', configured])).toContain('finds it where the settings say')
  expect(await found()).toContain('opens with the passphrase')
  expect(await lock(['--passphrase-file', await secret('second', SECOND)])).toContain('holds another passphrase')
  expect(await found()).toContain('does not open it')
  await writeFile(configured, SECOND)
  expect(await found()).toContain('opens with the passphrase')
  await rm(configured)
  expect(await found()).toContain('none was given')
})

test('a passphrase that comes and goes elsewhere leaves the guard as it is', async () => {
  const { home, secret, lock, isFresh, found } = await zone()
  const file = await secret('first', FIRST)
  await writeFile(home.envFile, `COUNTERSIGN_KEY_PASSPHRASE_FILE=${file}\n`)
  await lock(['--passphrase-file', file])
  const configured = await openZoneHome(home.root)
  expect((await keyFindings(configured, environmentOf(configured)))[0]?.found).toContain('opens with the passphrase')
  expect(await isGuardFresh(configured.keys, await knownSecrets(configured))).toBe(true)
  await rm(file)
  expect(await isGuardFresh(configured.keys, await knownSecrets(configured))).toBe(true)
  expect([await isFresh(), await found()]).toEqual([true, expect.stringContaining('none was given')])
})

test('the cloud has no such key', async () => {
  const { lock, unlock } = await zone('cloud')
  for (const attempt of [lock, unlock]) await expect(attempt()).rejects.toMatchObject({ code: 'ERR_ZONE_FORBIDDEN' })
})

test('doctor tells of a key that others can read, that is away, and that is not the one the zones know', async () => {
  const { home, file, found } = await zone()
  const other = await zone()
  expect(await found()).toContain('without a passphrase')
  const { path, pem } = await file()
  await writeFile(path, (await other.file()).pem)
  expect(await found()).toContain('does not belong to the public key')
  await writeFile(path, pem)
  await (await import('node:fs/promises')).chmod(path, 0o640)
  expect(await found()).toContain('others can read it')
  await rm(path)
  expect(await found()).toContain('it is not there')
  await rm(home.secrets, { recursive: true })
  expect(await found()).toContain('run doctor on the host')
  expect(await readFile(join(home.keys, 'guard.json'), 'utf8')).toContain('salt')
})
