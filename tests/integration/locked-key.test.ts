import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { vaultPath } from '#core/vault-path.ts'
import { runCli } from '#tests/support/cli-process.ts'
import { makeDraft, tick } from '#tests/support/executor.ts'
import {
  EXECUTOR,
  ended,
  makeExecutorHome,
  type RunningExecutor,
  startExecutor,
} from '#tests/support/executor-process.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { eventually, lookInto } from '../support/mail.ts'

const PASSPHRASE = 'correct horse battery'
let mailbox: Mailbox
let redis: StartedTestContainer

beforeAll(async () => {
  ;[mailbox, redis] = await Promise.all([
    startDevMailServers(),
    new GenericContainer('redis:8').withExposedPorts(6379).start(),
  ])
})
afterAll(async () => {
  await mailbox?.[Symbol.asyncDispose]()
  await redis?.stop()
})

/** A local zone whose countersigning key was given a passphrase on the command line. */
async function lockedZone() {
  const redisUrl = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
  const made = await makeExecutorHome({ mailbox, redisUrl, undoMs: 0 })
  onTestFinished(() => made[Symbol.dispose]())
  const { home } = made
  writeFileSync(home.envFile, '')
  const passphraseFile = join(home.root, 'passphrase')
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 })
  const cli = (...args: string[]) => runCli(home.root, ...args)
  expect(await cli('lock', '--passphrase-file', passphraseFile)).toMatchObject({ code: 0, answer: { locked: true } })
  return {
    ...{ home, cli, passphraseFile },
    /** Starts an executor that is given this file. */
    async start(file?: string) {
      const given = file === undefined ? {} : { COUNTERSIGN_KEY_PASSPHRASE_FILE: file }
      const running = await startExecutor(EXECUTOR, { ...made.env, ...given })
      onTestFinished(() => void running.child.kill('SIGKILL'))
      return running
    },
  }
}

test('an executor that is given the passphrase sends, and needs the file no longer once it runs', async () => {
  const { home, start, passphraseFile, cli } = await lockedZone()
  await isReady(await start(passphraseFile))
  rmSync(passphraseFile)
  const { fileName, text } = makeDraft({ subject: 'from behind two locks' })
  const vault = await openVault(home.vault)
  const pending = vaultPath(`Pending_Approval/email/${fileName}`)
  await vault.create(pending, text)
  const card = await eventually('the card is there', async () => {
    const found = await vault.read(pending)
    return found?.includes('countersign:card') ? found : undefined
  })
  await vault.replace(pending, tick('Approve')(card))
  const done = vaultPath(`Done/${new Date().toISOString().slice(0, 7)}/${fileName}`)
  await eventually('it is done', () => vault.exists(done), 60_000)
  expect((await lookInto(mailbox, 'client')).messages.map((one) => one.subject)).toContain('from behind two locks')
  expect(await cli('audit', 'verify')).toMatchObject({ code: 0, answer: { ok: true, receipts: 1 } })
})

test.each<[string, (zone: Awaited<ReturnType<typeof lockedZone>>) => string | undefined, RegExp]>([
  ['no passphrase', () => undefined, /it has a passphrase, and none was given/],
  [
    'a wrong one',
    ({ passphraseFile }) => {
      writeFileSync(passphraseFile, 'wrong horse battery')
      return passphraseFile
    },
    /the given passphrase does not open it/,
  ],
])('an executor that is given %s does not start, and says what to do', async (_what, give, words) => {
  const zone = await lockedZone()
  const running = await zone.start(give(zone))
  expect(await ended(running)).toBe(1)
  expect(running.log()).toMatch(words)
  expect(running.log()).toMatch(/ERR_KEY_LOCKED[\s\S]*COUNTERSIGN_KEY_PASSPHRASE_FILE/)
  expect(running.log()).not.toContain('horse')
})

test('the command line locks, tells, and unlocks, and shows the passphrase to nobody', async () => {
  const { home, cli, passphraseFile, start } = await lockedZone()
  const file = join(home.keys, 'countersign.pem')
  expect(readFileSync(file, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const refused = await cli('unlock')
  expect(refused).toMatchObject({ code: 2, answer: { error: { code: 'ERR_KEY_LOCKED' } } })
  expect(JSON.stringify(refused)).not.toContain('horse')
  expect(await cli('unlock', '--passphrase-file', passphraseFile)).toMatchObject({ code: 0, answer: { locked: false } })
  await isReady(await start())
})

async function isReady({ url }: RunningExecutor) {
  await eventually('it is ready', async () => (await fetch(`${url}/readyz`)).ok, 60_000)
}
