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

  it('reads back as what was approved, threaded', async () => {
    const { raw, envelope } = await composeMail(action, composition)
    expect(envelope).toEqual({ from: 'owner@x.test', to: ['client@y.test', 'other@y.test'] })
    const mail = await parseMail({
      uidValidity: '1',
      uid: 1,
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
  })
})
