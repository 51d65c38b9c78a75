import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openJournal } from '#adapters/journal/journal.ts'
import { parsePrivateKey, readCountersignFile, spkiOf } from '#adapters/keys/countersign-key.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { createZoneKeys } from '#adapters/keys/zone-keys.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { audienceOf, publicKeyFrom } from '#core/countersignature.ts'
import { parseTaskFile, renderTaskFile, withFront } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { CLI, runCli } from '#tests/support/cli-process.ts'
import { makeDraft, tick } from '#tests/support/executor.ts'
import {
  CRASHING_EXECUTOR,
  EXECUTOR,
  ended,
  makeExecutorHome,
  type RunningExecutor,
  startExecutor,
} from '#tests/support/executor-process.ts'
import { hasStrace } from '#tests/support/strace.ts'
import { readLedgers } from '../../cli/audit.ts'
import { keyFindings } from '../../cli/doctor-key.ts'
import { homeLayout, type ZoneHome } from '../../cli/zone-home.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { eventually, lookInto } from '../support/mail.ts'

const PENDING = 'Pending_Approval/email'
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

/** A local zone with an executor, and drafts for it. */
async function makeZone() {
  const redisUrl = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
  const made = await makeExecutorHome({ mailbox, redisUrl, undoMs: 0 })
  onTestFinished(() => made[Symbol.dispose]())
  const { home } = made
  writeFileSync(home.envFile, '')
  const vault = await openVault(home.vault)
  const at = (folder: string, fileName: string) => vaultPath(`${folder}/${fileName}`)
  return {
    home,
    async start(main = EXECUTOR, env = {}) {
      const running = await startExecutor(main, { ...made.env, ...env })
      onTestFinished(() => void running.child.kill('SIGKILL'))
      return running
    },
    async draft(subject: string) {
      const { id, fileName, text } = makeDraft({ subject })
      await vault.create(at(PENDING, fileName), text)
      return { id, fileName }
    },
    /** Ticks the box of a card, once it is shown. */
    async approve(fileName: string) {
      const text = await eventually('the card is there', async () => {
        const found = await vault.read(at(PENDING, fileName))
        return found?.includes('countersign:card') ? found : undefined
      })
      await vault.replace(at(PENDING, fileName), tick('Approve')(text))
    },
    async isDone(fileName: string) {
      const folder = `Done/${new Date().toISOString().slice(0, 7)}`
      await eventually(`${fileName} is done`, () => vault.exists(at(folder, fileName)), 60_000)
      return at(folder, fileName)
    },
    cli: (...args: string[]) => runCli(home.root, ...args),
  }
}

const keyNow = async ({ trust }: ZoneHome) =>
  audienceOf(publicKeyFrom((await readTrust(trust)).agents[0]?.countersign ?? ''))
const mails = async () => (await lookInto(mailbox, 'client')).messages.map((one) => one.subject)
const receiptsOf = async (home: ZoneHome) =>
  (await readLedgers(home)).entries
    .flat()
    .filter((entry) => entry.type === 'execution.done')
    .map((entry) => (entry.data?.receipt as { audience?: string } | undefined)?.audience)

async function stop(running: RunningExecutor) {
  running.child.kill('SIGTERM')
  await ended(running)
}

describe('replacing the countersigning key', () => {
  test('stops the executor that has the old one; the next sends with the new one, and both can be verified', async () => {
    const zone = await makeZone()
    const first = await zone.start()
    const one = await zone.draft('with the old key')
    await zone.approve(one.fileName)
    const done = await zone.isDone(one.fileName)
    const old = await keyNow(zone.home)

    const rotation = await eventually('nothing is on its way', async () => {
      const { code, answer } = await zone.cli('rotate', 'countersign-key')
      return code === 0 ? (answer as { old: string; new: string }) : undefined
    })
    expect(rotation).toMatchObject({ old, new: await keyNow(zone.home) })
    expect(await ended(first)).toBe(1)
    expect(first.log()).toContain('ERR_FENCED')

    await zone.start()
    const two = await zone.draft('with the new key')
    await zone.approve(two.fileName)
    await zone.isDone(two.fileName)
    expect((await mails()).filter((subject) => /with the (old|new) key/.test(subject)).sort()).toEqual([
      'with the new key',
      'with the old key',
    ])
    expect(await receiptsOf(zone.home)).toEqual([rotation.old, rotation.new])
    const audit = await zone.cli('audit', 'verify')
    expect(audit).toMatchObject({ code: 0, answer: { ok: true, receipts: 2, faults: [] } })

    // The countersignature of one put into the file of the other.
    const file = join(zone.home.vault, done)
    const read = (path: string) => {
      const parsed = parseTaskFile(readFileSync(path, 'utf8'))
      if (!parsed.ok) throw new Error(parsed.problem)
      return parsed.task
    }
    const second = read(join(zone.home.vault, await zone.isDone(two.fileName)))
    const outcome = { ...read(file).front.outcome, status: 'done', receipt: second.front.outcome?.receipt }
    writeFileSync(file, renderTaskFile(withFront(read(file), { outcome })))
    expect(await zone.cli('audit', 'verify')).toMatchObject({
      code: 1,
      answer: { ok: false, faults: [{ file: done, task: one.id, problem: /another task/ }].map(matching) },
    })
  })

  test('what was countersigned with the old key and not used is countersigned anew', async () => {
    const zone = await makeZone()
    const { id, fileName } = await zone.draft('signed twice')
    const first = await zone.start(CRASHING_EXECUTOR, { TEST_AT: 'after journal.intend', TEST_SIGNAL: 'SIGKILL' })
    await zone.approve(fileName)
    expect(await ended(first)).toBe('SIGKILL')
    const old = await keyNow(zone.home)
    expect(intentOf(zone.home, id)).toMatchObject({ state: 'intended', receipt: { audience: old } })
    expect((await zone.cli('rotate', 'countersign-key')).code).toBe(0)
    await zone.start()
    await zone.isDone(fileName)
    expect(await receiptsOf(zone.home)).toEqual([await keyNow(zone.home)])
    expect((await mails()).filter((subject) => subject === 'signed twice')).toHaveLength(1)
    expect((await zone.cli('audit', 'verify')).code).toBe(0)
  })

  test('an executor that slept through it and has the old key in its memory does nothing when it wakes', async () => {
    const zone = await makeZone()
    const { fileName } = await zone.draft('slept through')
    const zombie = await zone.start(CRASHING_EXECUTOR, { TEST_AT: 'after journal.intend', TEST_SIGNAL: 'SIGSTOP' })
    await zone.approve(fileName)
    await asleep(zombie)
    expect((await zone.cli('rotate', 'countersign-key')).code).toBe(0)
    zombie.child.kill('SIGCONT')
    expect(await ended(zombie)).toBe(1)
    expect(await mails()).not.toContain('slept through')
  })

  test('it waits while an action is under way, and says which', async () => {
    const zone = await makeZone()
    const { id, fileName } = await zone.draft('under way')
    const zombie = await zone.start(CRASHING_EXECUTOR, { TEST_AT: 'after journal.consume', TEST_SIGNAL: 'SIGSTOP' })
    await zone.approve(fileName)
    await asleep(zombie)
    const before = await keyNow(zone.home)
    const refusal = { code: 'ERR_TASK_STATE', message: expect.stringContaining(id) }
    expect(await zone.cli('rotate', 'countersign-key')).toMatchObject({ code: 4, answer: { error: refusal } })
    expect(await keyNow(zone.home)).toBe(before)
    zombie.child.kill('SIGCONT')
    await zone.isDone(fileName)
    await stop(zombie)
    expect((await zone.cli('rotate', 'countersign-key')).code).toBe(0)
    expect((await zone.cli('audit', 'verify')).code).toBe(0)
  })
})

function matching(fault: { readonly file: string; readonly task: string; readonly problem: RegExp }) {
  return { ...fault, problem: expect.stringMatching(fault.problem) }
}

function intentOf({ state }: ZoneHome, id: Parameters<ReturnType<typeof openJournal>['intentOf']>[0]) {
  using journal = openJournal(join(state, 'journal.sqlite'), { epoch: 'join' })
  return journal.intentOf(id, 1)
}

async function asleep({ child }: RunningExecutor) {
  await eventually('it sleeps', () => /^State:\tT/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8')))
}

// Killed at each call that makes something last, one after the other, until a run gets through.
describe.skipIf(!hasStrace)('a rotation that is killed', () => {
  const CALLS = ['rename', 'fsync', 'unlink']

  test.each(CALLS)(
    'at any %s leaves a key that works, and is completed by the next run',
    async (call) => {
      const root = mkdtempSync(join(tmpdir(), 'countersign-killed-'))
      onTestFinished(() => rmSync(root, { recursive: true, force: true }))
      const pristine = join(root, 'pristine')
      await createZoneKeys(pristine, 'local')
      writeFileSync(join(pristine, '.env.local'), '')
      for (const folder of ['vault', 'state', 'secrets']) mkdirSync(join(pristine, folder))
      let kills = 0
      for (let n = 1; n <= 100; n++) {
        const home = homeLayout(join(root, `${n}`), 'local')
        cpSync(pristine, home.root, { recursive: true })
        const inject = [
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          `trace=${call}`,
          '-e',
          `inject=${call}:signal=SIGKILL:when=${n}`,
        ]
        const rotate = [CLI, '--json', '--home', home.root, 'rotate', 'countersign-key']
        const { signal } = spawnSync('strace', [...inject, process.execPath, ...rotate])
        if (signal === 'SIGKILL') kills += 1
        await isSound(home)
        rmSync(home.root, { recursive: true })
        if (signal === null) break
      }
      expect(kills).toBeGreaterThan(0)
    },
    600_000,
  )

  async function isSound(home: ZoneHome) {
    const names = readdirSync(home.keys)
    const [found] = await keyFindings(home, {})
    expect(found?.found).toMatch(/is there, without a passphrase|rotation was interrupted/)
    const next = join(home.keys, 'countersign-next.pub')
    const { path, pem } = await readCountersignFile(home.keys)
    const isExchanged = existsSync(next) && readFileSync(next, 'utf8') === spkiOf(parsePrivateKey(path, pem))
    const { code, answer } = await runCli(home.root, 'rotate', 'countersign-key')
    expect([code, answer, names]).toMatchObject([0, { isFinished: isExchanged }, names])
    expect((await keyFindings(home, {}))[0]?.result).toBe('ok')
    const { entries, report } = await readLedgers(home)
    expect(report.faults).toEqual([])
    const rotations = entries.flat().filter((entry) => entry.type === 'key.rotated')
    // Each key follows the one before it: none is left out, none is told twice.
    for (const [index, entry] of rotations.entries())
      if (index > 0) expect(entry.data?.old).toBe(rotations[index - 1]?.data?.new)
    expect(rotations.at(-1)?.data?.new).toBe(await keyNow(home))
    expect((await readTrust(home.trust)).retired).toHaveLength(rotations.length)
  }
})
