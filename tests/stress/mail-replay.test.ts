import { expect, it } from 'vitest'
import { startMailContainer } from '../../demo/mailbox/container.ts'
import { randomOf } from '../support/claims/faults.ts'
import { replay, replayMails } from '../support/mail-replay.ts'

// Triage and what works on its tasks are killed again and again while mail arrives, the mail server dies, triage's memory is
// lost. COUNTERSIGN_TEST_SEED repeats the mails and the order of faults.
const SEED = Number(process.env.COUNTERSIGN_TEST_SEED ?? Math.floor(Math.random() * 1e9))
const MAILS = Number(process.env.COUNTERSIGN_TEST_MAILS ?? 300)

it(`${MAILS} mails through crashes: one open task per thread, none missed, none doubled (seed ${SEED})`, async () => {
  await using mailbox = await startMailContainer()
  const random = randomOf(SEED)
  const outages = Math.ceil(MAILS / 200)
  const figures = await replay(mailbox, replayMails(MAILS, random), {
    random,
    outages,
    lossOfMemory: outages,
    lives: 10,
  })
  console.log(JSON.stringify(figures))
  expect(figures.distinct).toBe(MAILS)
  expect(figures.kills.triage).toBeGreaterThan(outages)
}, 1_800_000)
