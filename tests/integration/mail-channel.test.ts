import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { emailActionSchema } from '#core/email-action.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { CLIENT, makeDraft, OWNER, readLedger, tick } from '#tests/support/executor.ts'
import { EXECUTOR, makeExecutorHome, startExecutor } from '#tests/support/executor-process.ts'
import { type MailContainer, startMailContainer } from '../../demo/mailbox/container.ts'
import { deliver, eventually, lookInto, pipeInto } from '../support/mail.ts'

const PENDING = 'Pending_Approval/email'
let mailbox: MailContainer
let redis: StartedTestContainer

beforeAll(async () => {
  ;[mailbox, redis] = await Promise.all([
    startMailContainer(),
    new GenericContainer('redis:8').withExposedPorts(6379).start(),
  ])
})
afterAll(async () => {
  await mailbox?.[Symbol.asyncDispose]()
  await redis?.stop()
})

let unique = 0
/** A running executor with one draft that answers a mail which stands in the mailbox. */
async function answering() {
  const redisUrl = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
  const made = await makeExecutorHome({ mailbox, redisUrl, undoMs: 0 })
  onTestFinished(() => made[Symbol.dispose]())
  const question = `<question.${process.pid}.${++unique}@countersign.test>`
  await deliver(mailbox, `From: ${CLIENT}\nMessage-ID: ${question}\nSubject: Invoice\n\nWhere is it?\n`)
  await eventually('the question is there', async () =>
    (await lookInto(mailbox, 'owner')).messages.some(({ source }) => source.includes(question)),
  )
  const action = { account: OWNER, to: [CLIENT], subject: 'Re: Invoice', in_reply_to: question, references: [question] }
  const { id, fileName, text } = makeDraft({ action })
  const vault = await openVault(made.home.vault)
  await vault.create(vaultPath(`${PENDING}/${fileName}`), text)
  const running = await startExecutor(EXECUTOR, made.env)
  onTestFinished(() => void running.child.kill('SIGKILL'))
  const textAt = async (folder: string) => (await vault.read(vaultPath(`${folder}/${fileName}`))) ?? ''
  const outcomeAt = async (folder: string) => {
    const parsed = parseTaskFile(await textAt(folder))
    return parsed.ok ? parsed.task.front.outcome : undefined
  }
  const approve = async () => {
    await eventually('a card is there', async () => (await textAt(PENDING)).includes('countersign:card'))
    await vault.replace(vaultPath(`${PENDING}/${fileName}`), tick('Approve')(await textAt(PENDING)))
  }
  const done = `Done/${new Date().toISOString().slice(0, 7)}`
  const isDone = () => eventually('it is done', async () => (await textAt(done)) !== '', 60_000)
  const ledger = () => readLedger({ vaultRoot: made.home.vault })
  const clientsMail = async () => {
    const { messages } = await lookInto(mailbox, 'client')
    return messages.filter(({ source }) => source.includes(question)).length
  }
  return { id, question, done, outcomeAt, approve, isDone, ledger, clientsMail }
}

test('a reply comes back when the client wrote again, and goes when it is approved once more', async () => {
  const zone = await answering()
  const again = `From: ${CLIENT}\nMessage-ID: <again.${unique}@x.test>\nIn-Reply-To: ${zone.question}\nSubject: Re: Invoice\n\nFound it.\n`
  await deliver(mailbox, again)
  await eventually('the second mail is there', async () =>
    (await lookInto(mailbox, 'owner')).messages.some(({ source }) => source.includes(`<again.${unique}@x.test>`)),
  )
  await zone.approve()
  await eventually('it is back', async () => (await zone.outcomeAt(PENDING))?.status === 'thread-newer', 60_000)
  expect(await zone.clientsMail()).toBe(0)
  await zone.approve()
  await zone.isDone()
  expect(await zone.clientsMail()).toBe(1)
})

test('a mail that the server sends back is told in its finished task', async () => {
  const zone = await answering()
  await zone.approve()
  await zone.isDone()
  // The same mail once more, on a way on which the server learns too late that nobody is there.
  const action = emailActionSchema.parse({
    ...{ tool: 'email.send_email', account: OWNER, to: ['nobody@countersign.test'], subject: 'x', body: 'x' },
  })
  const { raw } = await composeMail(action, { senderName: '', messageId: `<${zone.id}.1@countersign.test>`, sentAt: 0 })
  await pipeInto(mailbox.container, Buffer.from(raw), ['sendmail', '-f', OWNER, 'nobody@countersign.test'])
  const outcome = await eventually(
    'it is told',
    async () => {
      const found = await zone.outcomeAt(zone.done)
      return found?.bounced !== undefined && found
    },
    60_000,
  )
  expect(outcome).toMatchObject({
    status: 'done',
    bounced: [{ not_delivered: [expect.stringMatching(/^another address: 5\.1\.1 550 /)] }],
  })
  // The ledger's line comes after the file.
  const told = () => zone.ledger().filter((type) => type === 'mail.bounced')
  await eventually('the ledger has it', async () => told().length > 0, 60_000)
  expect(told()).toHaveLength(1)
})
