import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { withOutcomeTick } from '#core/problem-card.ts'
import { parseTaskFile, section } from '#core/task-file.ts'
import { type VaultPath, vaultPath } from '#core/vault-path.ts'
import { randomOf } from '#tests/support/claims/faults.ts'
import { makeDraft, readLedger, tick } from '#tests/support/executor.ts'
import { CRASHING_EXECUTOR, ended, makeExecutorHome, startExecutor } from '#tests/support/executor-process.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import { startCountingSmtp } from '../support/counting-smtp.ts'

// The executor is killed again and again while a person approves draft after draft, and an SMTP server counts what it
// takes. Where the outcome is unknown, the person does what the card asks: finds out, says so, and approves again only
// what the server never took. COUNTERSIGN_TEST_SEED repeats the times of the kills.
const SEED = Number(process.env.COUNTERSIGN_TEST_SEED ?? Math.floor(Math.random() * 1e9))
const APPROVALS = Number(process.env.COUNTERSIGN_TEST_APPROVALS ?? 100)
const KILLS = Math.ceil(APPROVALS * 0.3)
const PENDING = 'Pending_Approval/email'
/** No more than this stand before the person at once. */
const OPEN = 10
/** An executor is killed within so many ms after it has connected to the server so often; one in so many before that. */
const MAX_CONNECTIONS = 8
const BLUR_MS = 250
const EARLY = 0.2
const LIMIT_MS = 1_800_000

it(
  `${APPROVALS} approvals under ${KILLS} kills: each mail arrives once (seed ${SEED})`,
  async () => {
    const startedAt = Date.now()
    await using closing = new AsyncDisposableStack()
    const { smtp, mails, connections } = closing.use(await startCountingSmtp())
    const mailbox = { ...closing.use(await startDevMailServers()), smtp }
    // The executor that is started here rings nobody.
    const redisUrl = 'redis://127.0.0.1:1'
    const { home, env } = closing.use(await makeExecutorHome({ mailbox, redisUrl, undoMs: 0 }))
    const vault = await openVault(home.vault)
    const random = randomOf(SEED)
    const subjects = Array.from({ length: APPROVALS }, (_, at) => `Re: matter ${SEED}.${at}`)
    const taken = () => Map.groupBy(mails, ({ raw }) => /^Subject: (.*?)\r?$/m.exec(raw)?.[1])
    let kills = 0
    const asked = { taken: 0, notTaken: 0 }
    let isAllDone = false
    let isOver = false

    const untilItsHour = async () => {
      const from = connections()
      const wanted = random() < EARLY ? 0 : 1 + Math.floor(random() * MAX_CONNECTIONS)
      while (connections() < from + wanted && !isAllDone) await delay(5)
      await delay(random() * BLUR_MS)
    }
    const kill = async () => {
      while (!isOver) {
        const running = await startExecutor(CRASHING_EXECUTOR, env)
        if (kills < KILLS) {
          await untilItsHour()
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
    const decide = async (path: VaultPath) => {
      const text = (await vault.read(path)) ?? ''
      const parsed = parseTaskFile(text)
      if (!parsed.ok || section(parsed.task, 'card') === undefined) return
      const wasTaken = taken().has(String(parsed.task.front.action?.subject))
      const answer = withOutcomeTick(text, wasTaken ? 'done' : 'not-done')
      if (answer !== undefined) asked[wasTaken ? 'taken' : 'notTaken']++
      const decided = answer ?? tick('Approve')(text)
      if (decided !== text) await vault.replaceIf(path, text, decided)
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
        for (const path of pending) await decide(path)
        isAllDone = waiting.length === 0 && (await openTasks(vault)) === 0
        if (isAllDone && kills >= KILLS) return
        await delay(50)
      }
    }
    const end = () => {
      isOver = true
    }
    await Promise.all([kill(), live().finally(end)])

    const sent = taken()
    expect(subjects.filter((subject) => sent.get(subject)?.length !== 1)).toEqual([])
    expect(mails).toHaveLength(APPROVALS)
    // Throws when the ledger does not verify.
    const ledger = readLedger({ vaultRoot: home.vault })
    const done = await vault.list(`Done/${new Date().toISOString().slice(0, 7)}`)
    expect(done).toHaveLength(APPROVALS)
    expect(kills).toBe(KILLS)
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    console.log(
      `seed ${SEED}: ${APPROVALS} approvals, ${kills} kills, ${seconds} s, ${ledger.length} entries in the ledger; ${asked.taken + asked.notTaken} times the person was asked, ${asked.taken} of those had been sent`,
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
