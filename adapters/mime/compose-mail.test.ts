import PostalMime from 'postal-mime'
import { describe, expect, it } from 'vitest'
import { emailActionSchema } from '#core/email-action.ts'
import { composeMail } from './compose-mail.ts'
import { parseMail } from './parse-mail.ts'

const action = emailActionSchema.parse({
  tool: 'email.send_email',
  account: 'owner@x.test',
  to: ['client@y.test'],
  cc: ['other@y.test', 'client@y.test'],
  subject: 'Re: Angebot für März',
  in_reply_to: '<m1@y.test>',
  references: ['<m0@y.test>', '<m1@y.test>'],
  body: 'Grüße\n\n.\nFrom here on\nline',
})
const composition = { senderName: 'Ö. Wner', messageId: '<task.1@x.test>', sentAt: Date.UTC(2026, 10, 20, 10) }

describe('composeMail', () => {
  it('gives the same bytes for the same input', async () => {
    const [one, two] = await Promise.all([composeMail(action, composition), composeMail(action, composition)])
    expect(Buffer.from(one.raw).equals(two.raw)).toBe(true)
  })

  it('sends the text and the same as HTML, and nothing from elsewhere', async () => {
    const { raw } = await composeMail({ ...action, body: 'See https://a.test/?b=1&c <b>\n\nBye' }, composition)
    const { text, html, attachments } = await PostalMime.parse(raw)
    expect(text).toBe('See https://a.test/?b=1&c <b>\n\nBye\n')
    expect(html).toContain('<p>See <a href="https://a.test/?b=1&amp;c">https://a.test/?b=1&amp;c</a> &lt;b&gt;</p>')
    expect(html).not.toMatch(/<(?:img|link|script|style|iframe)|src=|url\(/)
    expect(attachments).toEqual([])
  })

  it('carries files by their bytes, the same each time', async () => {
    const files = [
      { name: 'Übersicht "März".pdf', type: 'application/pdf', bytes: Buffer.from([0, 1, 2, 255, 13, 10, 46]) },
      { name: 'a.txt', type: 'text/plain', bytes: Buffer.from('words\n') },
    ]
    const [one, two] = await Promise.all([1, 2].map(() => composeMail(action, { ...composition, files })))
    expect(Buffer.from(one?.raw ?? []).equals(two?.raw ?? Buffer.alloc(1))).toBe(true)
    const { attachments, text, html } = await PostalMime.parse(one?.raw ?? '')
    expect([text, html?.includes('<p>Grüße</p>')]).toEqual(['Grüße\n\n.\nFrom here on\nline\n', true])
    expect(attachments.map((part) => [part.filename, part.mimeType, part.disposition])).toEqual([
      ['Übersicht "März".pdf', 'application/pdf', 'attachment'],
      ['a.txt', 'text/plain', 'attachment'],
    ])
    expect(attachments.map((part) => Buffer.from(part.content as ArrayBuffer))).toEqual(files.map((file) => file.bytes))
  })

  it('writes domains in ASCII in the envelope, and letters before the @ as they are', async () => {
    const international = { ...action, to: ['jörg@xn--bcher-kva.example', 'kunde@xn--bcher-kva.example'], cc: [] }
    const { raw, envelope } = await composeMail(international, composition)
    expect(envelope.to).toEqual(international.to)
    const { to } = await PostalMime.parse(raw)
    expect(to?.map((one) => one.address)).toEqual(['jörg@bücher.example', 'kunde@xn--bcher-kva.example'])
  })

  it('reads back as what was approved, threaded', async () => {
    const { raw, envelope } = await composeMail(action, composition)
    expect(envelope).toEqual({ from: 'owner@x.test', to: ['client@y.test', 'other@y.test'] })
    const mail = await parseMail({
      receivedAt: 0,
      size: raw.length,
      source: raw,
      declaredAttachments: [],
    })
    expect(mail).toMatchObject({
      from: { name: 'Ö. Wner', address: 'owner@x.test' },
      to: [{ address: 'client@y.test' }],
      subject: 'Re: Angebot für März',
      messageId: '<task.1@x.test>',
      references: ['<m0@y.test>', '<m1@y.test>'],
      text: 'Grüße\n\n.\nFrom here on\nline\n',
    })
    expect(mail.headers.get('in-reply-to')).toEqual(['<m1@y.test>'])
    expect(mail.headers.get('date')).toEqual(['Fri, 20 Nov 2026 10:00:00 +0000'])
    expect(mail.headers.has('x-mailer')).toBe(false)
    expect(mail.headers.get('x-countersign-id')).toEqual(['<task.1@x.test>'])
  })
})
