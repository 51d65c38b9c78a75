import { setTimeout as delay } from 'node:timers/promises'
import { GenericContainer } from 'testcontainers'
import { expect, it } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { parseTaskFile, section, ticksOf } from '#core/task-file.ts'
import { fileNameOf, type VaultPath, vaultPath } from '#core/vault-path.ts'
import { randomOf } from '#tests/support/claims/faults.ts'
import { makeDraft, readLedger, tick } from '#tests/support/executor.ts'
import { CRASHING_EXECUTOR, ended, makeExecutorHome, startExecutor } from '#tests/support/executor-process.ts'
import { lookInto } from '#tests/support/mail.ts'
import { startMailContainer } from '../../demo/mailbox/container.ts'

// The executor is killed again and again while a person approves draft after draft, and a real mail server counts what
// arrives. Where the outcome is unknown, the person does what the card asks: looks into the client's mailbox, and
// approves again only what is not there. COUNTERSIGN_TEST_SEED repeats the times of the kills.
const SEED = Number(process.env.COUNTERSIGN_TEST_SEED ?? Math.floor(Math.random() * 1e9))
const APPROVALS = Number(process.env.COUNTERSIGN_TEST_APPROVALS ?? 100)
const KILLS = Math.ceil(APPROVALS * 0.3)
const PENDING = 'Pending_Approval/email'
/** No more than this stand before the person at once. */
const OPEN = 20
/** After its start an executor lives this long at least, ms, or it would never come to send anything. */
const MIN_LIFE_MS = 100
const MAX_LIFE_MS = 1_500
const LIMIT_MS = 1_800_000

it(
  `${APPROVALS} approvals under ${KILLS} kills: each mail arrives once (seed ${SEED})`,
  async () => {
    const startedAt = Date.now()
    await using closing = new AsyncDisposableStack()
    const mailbox = closing.use(await startMailContainer())
    const redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
    closing.defer(async () => void (await redis.stop()))
    const redisUrl = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
    const { home, env } = closing.use(await makeExecutorHome({ mailbox, redisUrl, undoMs: 0 }))
    const vault = await openVault(home.vault)
    const random = randomOf(SEED)
    const subjects = Array.from({ length: APPROVALS }, (_, at) => `Re: matter ${SEED}.${at}`)
    const arrived = async () => {
      const { messages } = await lookInto(mailbox, 'client')
      return Map.groupBy(messages, ({ subject }) => subject)
    }
    let kills = 0
    let asked = 0
    let isOver = false

    const kill = async () => {
      while (!isOver) {
        const running = await startExecutor(CRASHING_EXECUTOR, env)
        if (kills < KILLS) {
          await delay(MIN_LIFE_MS + random() * (MAX_LIFE_MS - MIN_LIFE_MS))
          if (running.child.kill('SIGKILL')) kills++
          expect(await ended(running)).toBe('SIGKILL')
        } else {
          while (!isOver) await delay(100)
          running.child.kill('SIGTERM')
          expect(await ended(running)).toBe(0)
        }
      }
    }
    /** Reads what stands before the person, and decides on it. */
    const decide = async (path: VaultPath, inMailbox: () => Promise<ReadonlyMap<string, unknown>>) => {
      const text = (await vault.read(path)) ?? ''
      const parsed = parseTaskFile(text)
      const card = parsed.ok ? section(parsed.task, 'card') : undefined
      if (!parsed.ok || card === undefined || ticksOf(parsed.task).length > 0) return
      const subject = String(parsed.task.front.action?.subject)
      const isUnknown = card.includes('Outcome unknown')
      if (isUnknown) asked++
      const isThere = isUnknown && (await inMailbox()).has(subject)
      await vault.replaceIf(path, text, tick(isThere ? 'Reject' : 'Approve')(text))
    }
    const live = async () => {
      const waiting = [...subjects]
      for (;;) {
        const pending = await vault.list(PENDING)
        while (waiting.length > 0 && pending.length < OPEN) {
          const { fileName, text } = makeDraft({ subject: waiting.shift() ?? '' })
          pending.push(vaultPath(`${PENDING}/${fileName}`))
          await vault.create(vaultPath(`${PENDING}/${fileName}`), text)
        }
        for (const path of pending) await decide(path, arrived)
        if (waiting.length === 0 && kills >= KILLS && (await openTasks(vault)) === 0) return
        await delay(50)
      }
    }
    const end = () => {
      isOver = true
    }
    await Promise.all([kill(), live().finally(end)])

    const mails = await arrived()
    expect(subjects.filter((subject) => mails.get(subject)?.length !== 1)).toEqual([])
    // Throws when the ledger does not verify.
    expect(readLedger({ vaultRoot: home.vault }).length).toBeGreaterThan(APPROVALS)
    const done = (await vault.list(`Done/${new Date().toISOString().slice(0, 7)}`)).map(fileNameOf)
    const rejected = await vault.list('Rejected')
    expect(done.length + rejected.length).toBe(APPROVALS)
    expect(kills).toBe(KILLS)
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    console.log(
      `seed ${SEED}: ${APPROVALS} approvals, ${kills} kills, ${seconds} s; ${asked} times the outcome was unknown and the person was asked, ${rejected.length} of those had arrived`,
    )
  },
  LIMIT_MS,
)

/** What is neither done nor rejected. */
async function openTasks(vault: VaultPort): Promise<number> {
  const folders = [PENDING, 'Approved', 'In_Progress/local'] as const
  const lists = await Promise.all(folders.map((folder) => vault.list(folder)))
  return lists.flat().length
}
