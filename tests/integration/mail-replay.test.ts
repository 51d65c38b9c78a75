import { afterAll, beforeAll, expect, it } from 'vitest'
import { type MailContainer, startMailContainer } from '../../demo/mailbox/container.ts'
import { randomOf } from '../support/claims/faults.ts'
import { replay, replayMails } from '../support/mail-replay.ts'

// A sample of tests/stress/mail-replay.test.ts. COUNTERSIGN_TEST_SEED repeats the mails and the order of faults.
const SEED = Number(process.env.COUNTERSIGN_TEST_SEED ?? Math.floor(Math.random() * 1e9))
const MAILS = 60

let mailbox: MailContainer
beforeAll(async () => {
  mailbox = await startMailContainer()
})
afterAll(async () => mailbox?.[Symbol.asyncDispose]())

it(`${MAILS} mails through crashes: one open task per thread, none missed, none doubled (seed ${SEED})`, async () => {
  const random = randomOf(SEED)
  const figures = await replay(mailbox, replayMails(MAILS, random), { random, outages: 1, lossOfMemory: 1, lives: 3 })
  expect(figures.distinct).toBe(MAILS)
})
