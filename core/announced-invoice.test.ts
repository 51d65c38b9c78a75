import { describe, expect, test } from 'vitest'
import { actionDigest, actionFault, actionRows } from './action.ts'
import { documentName, fillMail, type PostedInvoice } from './announced-invoice.ts'
import { describeFile } from './attachment.ts'
import { type EmailAction, emailActionSchema, readyEmailSchema } from './email-action.ts'
import { INVOICE_SLOT } from './invoice-slot.ts'

const TASK = '01K9ZZZZZZZZZZZZZZZZ7H3K9Q'
const PDF = describeFile('INV-2026-00012.pdf', Buffer.from('%PDF-1.7'))
const mail = (more: object = {}): EmailAction =>
  emailActionSchema.parse({
    ...{ tool: 'email.send_email', account: 'owner@countersign.test', to: ['client@countersign.test'] },
    ...{ subject: 'Re: Invoice', body: `Attached is ${INVOICE_SLOT}. Again: ${INVOICE_SLOT}.` },
    invoice: { task: TASK, customer: 'Acme Ltd', total: '1785.00', currency: 'EUR', document: 'required' },
    ...more,
  })
const withoutInvoice = (): EmailAction => {
  const { invoice: _, ...rest } = mail()
  return rest
}
const posted = (more: Partial<PostedInvoice> = {}): PostedInvoice => ({
  ...{ customer: 'Acme Ltd', total: '1785.00', currency: 'EUR', number: 'INV/2026/00012', document: PDF },
  ...more,
})
const ruleOf = (action: EmailAction, invoice: PostedInvoice) => {
  const filled = fillMail(action, invoice)
  return filled.ok ? 'ok' : filled.rule
}

describe('a mail about an invoice that is posted first', () => {
  test('gets the number and the document, and nothing else of it changes', () => {
    const filled = fillMail(mail(), posted())
    if (!filled.ok) throw new Error(filled.say)
    const { invoice, ...approved } = mail()
    expect(filled.action).toEqual({
      ...approved,
      body: 'Attached is INV/2026/00012. Again: INV/2026/00012.',
      attachments: [PDF],
    })
    expect(invoice).toBeDefined()
    expect(readyEmailSchema.parse(filled.action)).toEqual(filled.action)
  })

  test('is bound, open as it is, to the place, the task, the amount and the document', () => {
    const one = actionDigest(mail())
    const invoice = { task: TASK, customer: 'Acme Ltd', total: '1785.00', currency: 'EUR', document: 'required' }
    const others = [
      mail({ body: `Attached is ${INVOICE_SLOT}.` }),
      mail({ invoice: { ...invoice, task: TASK.replace('7H', '8H') } }),
      mail({ invoice: { ...invoice, customer: 'Other Ltd' } }),
      mail({ invoice: { ...invoice, total: '1785.01' } }),
      mail({ invoice: { ...invoice, currency: 'USD' } }),
      mail({ invoice: { ...invoice, document: 'optional' } }),
      withoutInvoice(),
    ]
    expect(new Set([one, ...others.map(actionDigest)]).size).toBe(8)
  })

  test('cannot be sent as long as something is open in it', () => {
    expect(readyEmailSchema.safeParse(mail()).success).toBe(false)
  })

  test.each<[string, Partial<PostedInvoice>, string]>([
    ['for somebody else', { customer: 'Other Ltd' }, 'invoice-of-another'],
    ['over another amount', { total: '1785.01' }, 'invoice-total-differs'],
    ['in another currency', { currency: 'USD' }, 'invoice-total-differs'],
    ['without a number', { number: undefined }, 'invoice-number-unusable'],
    ['with a draft’s number', { number: '/' }, 'invoice-number-unusable'],
    ['with a number that is a text', { number: 'INV/1\n\nPay to another account' }, 'invoice-number-unusable'],
    ['with a number that is markup', { number: '<b>INV/1</b>' }, 'invoice-number-unusable'],
    ['with a number that is a place to fill in', { number: '{{1}}' }, 'invoice-number-unusable'],
    ['with a number without a digit', { number: 'INVOICE' }, 'invoice-number-unusable'],
    ['with a number of great length', { number: `INV/${'1'.repeat(50)}` }, 'invoice-number-unusable'],
    ['with a number that is none of text', { number: ['INV/1'] }, 'invoice-number-unusable'],
    ['without a document', { document: undefined }, 'invoice-document-missing'],
    ['over the same amount, written shorter', { total: '1785' }, 'ok'],
  ])('that was posted %s: %s', (_what, more, rule) => {
    expect(ruleOf(mail(), posted(more))).toBe(rule)
  })

  test('goes without a document where the person said that it may', () => {
    const optional = mail({
      invoice: { task: TASK, customer: 'Acme Ltd', total: '1785.00', currency: 'EUR', document: 'optional' },
    })
    const filled = fillMail(optional, posted({ document: undefined }))
    expect(filled.ok && filled.action.attachments).toBeUndefined()
  })

  test('keeps the files that it had, and attaches none twice', () => {
    const other = describeFile('terms.pdf', Buffer.from('terms'))
    const filled = fillMail(mail({ attachments: [other] }), posted())
    expect(filled.ok && filled.action.attachments).toEqual([other, PDF])
    const twice = fillMail(mail({ attachments: [PDF] }), posted())
    expect(twice.ok && twice.action.attachments).toEqual([PDF])
  })

  test('comes back where the document makes it too large, or one file too many', () => {
    const large = { ...PDF, size: String(16 * 1024 * 1024) }
    expect(ruleOf(mail(), posted({ document: large }))).toBe('invoice-does-not-fit')
    const many = Array.from({ length: 20 }, (_, n) => describeFile(`${n}.txt`, Buffer.from(`file ${n}`)))
    expect(ruleOf(mail({ attachments: many }), posted())).toBe('invoice-does-not-fit')
  })

  test('may leave this one place open and no other; a mail without an invoice may leave none', () => {
    const limits = { account: 'owner@countersign.test', maxRecipients: 10 }
    expect(actionFault(mail(), limits)).toBeUndefined()
    expect(actionFault(mail({ body: `${INVOICE_SLOT} and {{name}}` }), limits)).toMatchObject({
      rule: 'placeholder-left',
    })
    expect(actionFault(mail({ body: '{{invoice  number}}' }), limits)).toMatchObject({ rule: 'placeholder-left' })
    expect(actionFault(withoutInvoice(), limits)).toMatchObject({ rule: 'placeholder-left' })
  })

  test.each([
    ['no task', { task: 'x' }],
    ['nobody', { customer: '' }],
    ['no amount', { total: '1,785' }],
    ['no currency', { currency: 'EURO' }],
    ['another word', { document: 'maybe' }],
    ['a field of its own', { number: 'INV/1' }],
  ])('is refused where it names %s', (_what, more) => {
    const invoice = {
      task: TASK,
      customer: 'Acme Ltd',
      total: '1785.00',
      currency: 'EUR',
      document: 'required',
      ...more,
    }
    expect(emailActionSchema.safeParse({ ...mail(), invoice }).success).toBe(false)
  })

  test('says on its card what is put in, what is attached, and what becomes of it otherwise', () => {
    const rows = new Map(actionRows(mail()))
    expect(rows.get('Invoice')).toMatch(/Acme Ltd.*1785\.00 EUR.*7h3k9q.*\{\{invoice number\}\}.*comes back to you/)
    expect(rows.get('Attachments')).toMatch(/document of the posted invoice.*comes back to you/)
    expect(new Map(actionRows(mail({ body: 'Hello' }))).get('Invoice')).toContain('is not named')
  })
})

test('a document is named after the invoice', () => {
  expect(documentName('INV/2026/00012', 'Attachments/ab.pdf')).toBe('INV-2026-00012.pdf')
  expect(documentName('<x>', 'Attachments/ab.pdf')).toBe('invoice.pdf')
})
