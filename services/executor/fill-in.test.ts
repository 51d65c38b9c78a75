import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { INVOICE_SLOT } from '#core/invoice-slot.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { Report } from '#core/report.ts'
import { parseTaskFile, renderTaskFile, withFront } from '#core/task-file.ts'
import { type VaultPath, vaultPath } from '#core/vault-path.ts'
import { CLIENT, type Executor, type ExecutorHome, makeHome, OWNER } from '#tests/support/executor.ts'

const PDF = Buffer.from('%PDF-1.7 the invoice')
const DOCUMENT = `Attachments/${createHash('sha256').update(PDF).digest('hex')}.pdf`
const POSTING = { tool: 'odoo.post_invoice', invoice: '42', customer: 'Acme Ltd', total: '1785.00', currency: 'EUR' }

let home: ExecutorHome
let executor: Executor
/** What the books say of the next invoice that is posted. */
let facts: Record<string, string>
let posted: number
beforeEach(async () => {
  home = await makeHome()
  facts = { number: 'INV/2026/00012', document: DOCUMENT }
  posted = 0
  await home.vault.create(vaultPath(DOCUMENT), PDF)
  await start()
})
afterEach(() => home[Symbol.asyncDispose]())

async function start(): Promise<void> {
  executor = await home.start()
  const { deps, email } = executor
  ;(deps as { channels: readonly Channel[] }).channels = [books(), email]
}

/** Posts whatever it is asked to, and spends the receipt as the tools do. */
function books(): Channel {
  return {
    ...{ name: 'books', problems: () => [], isReady: async () => true, keyOf: ({ taskId }) => taskId },
    lookAtTheWorld: async () => ({ kind: 'clear' }),
    async act(_action, receipt): Promise<Report> {
      executor.deps.journal.consume(receipt, home.now)
      posted++
      return { outcome: 'accepted', key: receipt.task, answer: 'posted', missed: [], facts }
    },
    ...{ lookUp: async () => ({ kind: 'not-found' }), settle: async () => {}, sayWhereToLook: () => 'Look in Odoo.' },
  }
}

/** The posting and the reply to it, as cards. */
async function request(more: { invoice?: object; body?: string; after?: string[]; subject?: string } = {}) {
  const posting = await home.put('Pending_Approval/email', { action: POSTING })
  const reply = await home.put('Pending_Approval/email', {
    after: more.after ?? [posting.id],
    body: more.body ?? `Dear client,\n\nattached is invoice ${INVOICE_SLOT}.\n\nThe owner`,
    action: {
      ...{ tool: 'email.send_email', account: OWNER, to: [CLIENT], subject: more.subject ?? 'Re: Invoice' },
      invoice: {
        task: posting.id,
        customer: 'Acme Ltd',
        total: '1785.00',
        currency: 'EUR',
        document: 'required',
        ...more.invoice,
      },
    },
  })
  await executor.pass()
  return { posting, reply }
}
const approve = (...tasks: { path: VaultPath; fileName: string }[]) =>
  Promise.all(tasks.map(({ path, fileName }) => home.vault.move(path, vaultPath(`Approved/${fileName}`))))
const passes = async (count = 4) => {
  for (let round = 0; round < count; round++) await executor.pass()
}
const cardOf = async ({ fileName }: { fileName: string }) =>
  (await home.vault.read((await home.vault.find(fileName)) ?? vaultPath('HALT.md'))) ?? ''
const stands = async ({ fileName }: { fileName: string }) => (await home.vault.find(fileName))?.split('/')[0]

describe('a reply about an invoice', () => {
  test('waits for the posting, and goes out with the number and the document that came of it', async () => {
    const { posting, reply } = await request()
    expect(await cardOf(reply)).toMatch(/its number is put in for `\{\{invoice number\}\}`/)
    await approve(reply)
    await passes()
    expect([await stands(reply), home.mail.delivered]).toEqual(['Approved', []])

    await approve(posting)
    await passes()
    expect([posted, await stands(posting), await stands(reply)]).toEqual([1, 'Done', 'Done'])
    const [mail = '', ...others] = home.mail.delivered
    expect(others).toEqual([])
    expect(mail).toContain('attached is invoice INV/2026/00012.')
    expect(mail).toContain('filename=INV-2026-00012.pdf')
    expect(mail).toContain(PDF.toString('base64'))
    expect(mail).toContain(`Message-ID: <${reply.id}.1@countersign.test>`)
  })

  test('has a countersignature over what goes out, and over what was approved and whose outcome filled it', async () => {
    const { posting, reply } = await request()
    const approved = executor.deps.journal.presentation(reply.id)?.digest
    await approve(posting, reply)
    await passes()
    const intent = executor.deps.journal.lastIntentOf(reply.id)
    expect(intent?.receipt.filled).toEqual({ approved, from: posting.id })
    expect(intent?.receipt.digest).not.toBe(approved)
    const said = await home.vault.read(vaultPath('Logs/local/2026-11-20.jsonl'))
    expect(said).toMatch(new RegExp(`"execution.intended".*"approved":"${approved}","from":"${posting.id}"`))
    // The examples of the person's hand hold nothing of it: nobody edited anything.
    expect(await home.vault.list('Examples')).toEqual([])
  })

  test('keeps its text with the place open in its file, where what went out is told by the outcome', async () => {
    const { posting, reply } = await request()
    await approve(posting, reply)
    await passes()
    const text = await cardOf(reply)
    expect(text).toContain(`attached is invoice ${INVOICE_SLOT}.`)
    expect(text).toMatch(/filled:\n\s+approved: sha256:/)
  })

  test.each<[string, Record<string, string>, string]>([
    ['whose posting has no number', { document: DOCUMENT }, 'none that could be put into a mail'],
    ['whose number is a text', { number: 'INV/1\nBcc: x@y.example', document: DOCUMENT }, 'none that could be put'],
    ['of which there is no document', { number: 'INV/1' }, 'no document of it to attach'],
    ['whose document is not there', { number: 'INV/1', document: `Attachments/${'0'.repeat(64)}.pdf` }, 'no document'],
    [
      'posted as another than was approved',
      { number: 'INV/1', document: DOCUMENT, differs: 'its total is 9.00' },
      'its total is 9.00',
    ],
    ['whose document lies elsewhere', { number: 'INV/1', document: '../keys/countersign.pem' }, 'no document'],
  ])('%s goes back to the person, and nothing is sent', async (_what, said, say) => {
    facts = said
    const { posting, reply } = await request()
    await approve(posting, reply)
    await passes()
    expect([await stands(posting), await stands(reply), home.mail.delivered]).toEqual(['Done', 'Pending_Approval', []])
    expect((await cardOf(reply)).replaceAll('\\', '')).toContain(say)
  })

  test('of another amount than the one that was posted goes back', async () => {
    const { posting, reply } = await request({ invoice: { total: '1800.00' } })
    await approve(posting, reply)
    await passes()
    expect([await stands(reply), home.mail.delivered]).toEqual(['Pending_Approval', []])
    expect(await cardOf(reply)).toMatch(/posted over 1785.00 EUR, and this mail was written for 1800.00 EUR/)
  })

  test('about an invoice of somebody else goes back: nobody gets the invoice of another', async () => {
    const { posting, reply } = await request({ invoice: { customer: 'Other Ltd' } })
    await approve(posting, reply)
    await passes()
    expect([await stands(reply), home.mail.delivered]).toEqual(['Pending_Approval', []])
    expect(await cardOf(reply)).toMatch(/one for Acme Ltd, and this mail was written about one for Other Ltd/)
  })

  test('that does not wait for the posting goes back: nobody may take the number of a task that is not its predecessor', async () => {
    const { posting, reply } = await request({ after: [] })
    await approve(posting, reply)
    await passes()
    expect([await stands(reply), home.mail.delivered]).toEqual(['Pending_Approval', []])
  })

  test('takes a number only from a task that posts an invoice', async () => {
    const other = await home.put('Pending_Approval/email')
    await executor.pass()
    await approve(other)
    await passes()
    home.mail.delivered.splice(0)
    const { reply } = await request({ after: [other.id], invoice: { task: other.id } })
    await approve(reply)
    await passes()
    expect([await stands(reply), home.mail.delivered]).toEqual(['Pending_Approval', []])
    expect(await cardOf(reply)).toContain('is not in Done/ as it was done')
  })

  test('takes the amount from what was countersigned, not from a file that somebody changed afterwards', async () => {
    const { posting, reply } = await request({ invoice: { total: '1.00' } })
    await approve(posting)
    await passes()
    const path = (await home.vault.find(posting.fileName)) ?? vaultPath('HALT.md')
    const parsed = parseTaskFile((await home.vault.read(path)) ?? '')
    if (!parsed.ok) throw new Error(parsed.problem)
    const forged = withFront(parsed.task, { action: { ...POSTING, total: '1.00' } })
    await home.vault.replace(path, renderTaskFile(forged))
    await approve(reply)
    await passes()
    expect([await stands(reply), home.mail.delivered]).toEqual(['Pending_Approval', []])
  })

  test('is the same mail after a crash between the intent and the act', async () => {
    const { posting, reply } = await request()
    await approve(posting)
    await passes()
    await approve(reply)
    const { deps } = executor
    const [, email] = deps.channels
    ;(deps as { channels: readonly Channel[] }).channels = [
      { ...(email as Channel), act: () => Promise.reject(new Error('crash')) },
    ]
    await passes(1)
    const before = deps.journal.lastIntentOf(reply.id)
    expect(before?.state).toBe('intended')
    await executor[Symbol.asyncDispose]()
    await start()
    await passes()
    expect(home.mail.delivered).toHaveLength(1)
    expect(executor.deps.journal.lastIntentOf(reply.id)?.digest).toBe(before?.digest)
    expect(home.mail.delivered[0]).toContain(`Message-ID: ${before?.key}`)
  })

  test('never goes out with the place in its subject, where no number is put in', async () => {
    const { posting, reply } = await request({ subject: `Re: ${INVOICE_SLOT}` })
    await approve(posting, reply)
    await passes()
    expect([await stands(reply), home.mail.delivered]).toEqual(['Pending_Approval', []])
    expect(await cardOf(reply)).toContain('filled in the text alone')
  })

  test('that the person has completed by hand goes out as it stands', async () => {
    const { posting, reply } = await request({ body: 'Your invoice is INV/7.' })
    await approve(posting, reply)
    await passes()
    expect(home.mail.delivered[0]).toContain('Your invoice is INV/7.')
  })
})
