import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { doneOf } from '#core/action.ts'
import { describeFile } from '#core/attachment.ts'
import { CountersignError } from '#core/errors.ts'
import type { ThreadMessage } from '#core/ports/mail.ts'
import { section } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import {
  CLIENT,
  type Executor,
  type ExecutorHome,
  makeHome,
  moveToApproved,
  OWNER,
  readDashboard,
  readLedger,
  readTaskAt,
  START,
  whereIs,
} from '#tests/support/executor.ts'

const PENDING = 'Pending_Approval/email'
const QUESTION = '<question@countersign.test>'
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

const pass = () => executor.pass()
async function approved(options: Parameters<ExecutorHome['put']>[1] = {}): Promise<string> {
  const { fileName } = await home.put(PENDING, options)
  await pass()
  await moveToApproved(home, fileName)
  return fileName
}
const message = (messageId: string, more: Partial<ThreadMessage> = {}): ThreadMessage => ({
  ...{ folder: 'inbox', messageId, refersTo: [], from: CLIENT, at: START - 60_000, ...more },
})
const again = (at: number) => message('<again@countersign.test>', { refersTo: [QUESTION], at })
const byHand = (at: number) =>
  message('<mine@countersign.test>', { folder: 'sent', refersTo: [QUESTION], from: OWNER, at })

describe('right before a reply goes', () => {
  test.each<[string, (at: number) => ThreadMessage, string, string]>([
    ['a newer mail', again, 'thread-newer', `${CLIENT} wrote again in this thread at 2026-11-20 12:00 UTC`],
    ['an answer by hand', byHand, 'thread-answered', 'You answered this thread yourself at 2026-11-20 12:00 UTC'],
  ])('%s in the thread brings it back, and approving once more sends it', async (_what, news, rule, say) => {
    const fileName = await approved()
    home.mail.thread = [message(QUESTION), news(START)]
    await pass()
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
    const task = await readTaskAt(home, `${PENDING}/${fileName}`)
    expect(task.front.outcome).toMatchObject({ status: rule, reason: expect.stringContaining(say) })
    expect((section(task, 'card') ?? '').replaceAll('\\', '')).toContain(say)
    expect(readLedger(home)).toEqual(expect.arrayContaining(['execution.refused', 'task.returned']))
    await moveToApproved(home, fileName)
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect(home.mail.delivered).toHaveLength(1)
  })

  test('what came after the person was told brings it back again', async () => {
    const fileName = await approved()
    home.mail.thread = [message(QUESTION), again(START)]
    await pass()
    await pass()
    await moveToApproved(home, fileName)
    home.mail.thread.push(message('<third@countersign.test>', { refersTo: [QUESTION], at: START + 1 }))
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
  })

  test('a draft of the cloud that says the person was told is not believed', async () => {
    const { fileName, path } = await home.put(PENDING)
    const told = 'outcome:\n  status: thread-newer\n  at: 2026-11-20T23:00:00.000Z\n'
    await home.vault.replace(path, ((await home.vault.read(path)) ?? '').replace('\naction:', `\n${told}action:`))
    await pass()
    expect((await readTaskAt(home, path)).front.outcome).toBeUndefined()
    await moveToApproved(home, fileName)
    home.mail.thread = [message(QUESTION), again(START)]
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
  })

  test('nothing new lets it go', async () => {
    const fileName = await approved()
    home.mail.thread = [message(QUESTION), message('<root@countersign.test>', { at: START - 120_000 })]
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  })

  test('a mailbox that is away makes it wait, with words, and it goes when the mailbox is back', async () => {
    const fileName = await approved()
    const { look } = home.mail
    home.mail.look = async () => {
      throw new CountersignError('ERR_MAIL_UNREACHABLE', 'reading IMAP owner@mail.example:993: timeout')
    }
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual(['In_Progress/local', []])
    expect(await readDashboard(home)).toContain('Whether somebody wrote again in the thread must be looked at first')
    expect(executor.email.problems().join()).toContain('timeout')
    home.mail.look = look
    home.now += 2_000
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  })

  test('a mail that answers nothing does not wait for the mailbox', async () => {
    const fileName = await approved({ action: { account: OWNER, to: [CLIENT], subject: 'A new mail' } })
    home.mail.look = async () => {
      throw new CountersignError('ERR_MAIL_UNREACHABLE', 'reading IMAP owner@mail.example:993: timeout')
    }
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  })
})

describe('a file of the mail', () => {
  const OFFER = Buffer.from('%PDF-1.7 offer')
  const file = describeFile('Angebot für März.pdf', OFFER)
  const action = { account: OWNER, to: [CLIENT], subject: 'Offer', attachments: [file] }
  const approvedWithFile = async () => {
    await home.vault.create(vaultPath(file.path), OFFER)
    return approved({ action })
  }

  test('stands in the card by name, size and digest, and is sent', async () => {
    await home.vault.create(vaultPath(file.path), OFFER)
    const { fileName, path } = await home.put(PENDING, { action })
    await pass()
    const card = section(await readTaskAt(home, path), 'card') ?? ''
    expect(card).toContain('| Attachments | `Angebot für März.pdf` (`application/pdf`, 14 bytes, SHA-256 `')
    expect(card).toContain(file.sha256)
    await moveToApproved(home, fileName)
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    const [sent] = home.mail.delivered
    expect(sent).toContain(OFFER.toString('base64'))
    expect(home.mail.filed).toEqual([sent])
  })

  test('that is a program is a risk', async () => {
    const program = describeFile('invoice.pdf.exe', OFFER)
    const { path } = await home.put(PENDING, { action: { ...action, attachments: [program] } })
    await pass()
    expect(section(await readTaskAt(home, path), 'card')).toMatch(/[⚠⛔].*invoice\.pdf\.exe/)
  })

  test('that was replaced after the approval brings the mail back with the reason', async () => {
    const fileName = await approvedWithFile()
    await home.vault.replace(vaultPath(file.path), '%PDF-1.7 other')
    await pass()
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
    const { outcome } = (await readTaskAt(home, `${PENDING}/${fileName}`)).front
    expect(outcome).toMatchObject({
      ...{ status: 'attachment-changed', reason: expect.stringContaining('it is not the file that was approved') },
    })
  })

  test('that is gone by the time of the act stops the act', async () => {
    const fileName = await approvedWithFile()
    let reads = 0
    const { readBytes } = executor.deps.vault
    Object.assign(executor.deps.vault, {
      readBytes: async (...args: Parameters<typeof readBytes>) => (++reads === 1 ? readBytes(...args) : undefined),
    })
    await pass()
    await pass()
    expect([reads, home.mail.delivered]).toEqual([2, []])
    expect(await whereIs(home, fileName)).toBe(PENDING)
    const { outcome } = (await readTaskAt(home, `${PENDING}/${fileName}`)).front
    expect(outcome).toMatchObject({ status: 'outcome-refused', reason: expect.stringContaining('it is not there') })
  })

  test('that is gone after it was sent leaves the copy out of Sent and nothing waiting', async () => {
    const fileName = await approvedWithFile()
    const { has } = home.mail
    home.mail.has = async (id) => {
      await home.vault.remove(vaultPath(file.path))
      return has.call(home.mail, id)
    }
    await pass()
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect([home.mail.delivered.length, home.mail.filed]).toEqual([1, []])
    expect(executor.deps.journal.intentsIn('accepted')).toEqual([])
  })
})

test('recipients that were refused are named one by one', async () => {
  const fileName = await approved({ to: [CLIENT, 'gone@countersign.test', 'full@countersign.test'] })
  const refusedRecipients = [
    { address: 'gone@countersign.test', response: '550 no such\u0007 user' },
    { address: 'full@countersign.test', response: '552 mailbox full' },
  ]
  home.mail.outcome = { kind: 'accepted', response: '250 ok', refusedRecipients }
  await pass()
  const task = await readTaskAt(home, `Done/2026-11/${fileName}`)
  const missed = ['not to gone@countersign.test: 550 no such user', 'not to full@countersign.test: 552 mailbox full']
  expect(task.front.outcome).toMatchObject({ reason: `250 ok; ${missed.join('; ')}`, missed })
  expect(doneOf(task)).toContain(missed.join('; '))
})
