import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTaskId } from './ids.ts'
import { mailKey, mailTaskId, replyRecipients, replyReferences, replySubject, skipReasons, threadIdOf } from './mail.ts'
import { INVISIBLE } from './visible-text.ts'

const OWN = new Set(['owner@countersign.test'])
const mail = (headers: Record<string, string>, address = 'client@example.test', name = '') => ({
  headers: new Map(Object.entries(headers).map(([key, value]) => [key, [value]] as const)),
  from: { name, address },
})

describe('skipReasons', () => {
  it.each([
    ['a plain mail', mail({ subject: 'hi' })],
    ['Auto-Submitted: no', mail({ 'auto-submitted': 'no' })],
    ['Auto-Submitted: No with a comment', mail({ 'auto-submitted': 'No (a person)' })],
    ['Precedence: first-class', mail({ precedence: 'first-class' })],
    ['a return path', mail({ 'return-path': '<client@example.test>' })],
    ['a person called Norepley', mail({}, 'norepley@example.test')],
    ['a suppression of receipts alone', mail({ 'x-auto-response-suppress': 'DR, RN' })],
  ])('has nothing against %s', (_name, message) => {
    expect(skipReasons(message, OWN)).toEqual([])
  })

  it.each([
    ['auto-submitted', mail({ 'auto-submitted': 'auto-replied' })],
    ['auto-submitted', mail({ 'auto-submitted': 'auto-generated; type=x' })],
    ['bulk', mail({ precedence: 'Bulk' })],
    ['bulk', mail({ precedence: 'list' })],
    ['bulk', mail({ precedence: 'junk' })],
    ['mailing-list', mail({ 'list-id': '<x.example.test>' })],
    ['mailing-list', mail({ 'list-unsubscribe': '<mailto:x@example.test>' })],
    ['auto-reply', mail({ 'x-auto-response-suppress': 'DR, OOF, AutoReply' })],
    ['auto-reply', mail({ 'x-auto-response-suppress': 'All' })],
    ['auto-reply', mail({ 'x-autoreply': 'yes' })],
    ['delivery-report', mail({ 'content-type': 'Multipart/Report; report-type=delivery-status' })],
    ['delivery-report', mail({ 'return-path': ' <> ' })],
    ['no-reply-sender', mail({}, 'no-reply@example.test')],
    ['no-reply-sender', mail({}, 'DoNotReply@example.test')],
    ['no-reply-sender', mail({}, 'MAILER-DAEMON@example.test')],
    ['no-reply-sender', mail({}, 'bounce+x@example.test')],
    ['own-message', mail({}, 'Owner@countersign.test')],
    ['no-sender', mail({}, '')],
  ] as const)('skips as %s', (reason, message) => {
    expect(skipReasons(message, OWN)).toEqual([reason])
  })

  it('skips a mail without any sender', () => {
    expect(skipReasons({ headers: new Map() }, OWN)).toEqual(['no-sender'])
  })
})

describe('replySubject', () => {
  it.each([
    ['Invoice', 'Re: Invoice'],
    ['Re: RE: aw: Invoice', 'Re: Invoice'],
    ['re[2]: Invoice', 'Re: Invoice'],
    ['', 'Re: (no subject)'],
    ['a\r\nBcc: evil@example.test\n---', 'Re: a Bcc: evil@example.test ---'],
    ['Regarding: x', 'Re: Regarding: x'],
    ['See http://example.test/a: {{b}} [[c]]', 'Re: See http://example.test/a: {{b}} [[c]]'],
    ['in\u200bvi\u202esi\u3164ble \u2764\ufe0f', 'Re: invisible \u2764'],
    ['a <% tp.x() %> <%* y -%>', 'Re: a ‹% tp.x() %› ‹%* y -%›'],
  ])('of %j is %j', (subject, expected) => {
    expect(replySubject(subject)).toBe(expected)
  })

  it('is always one line of sane length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 800 }), (subject) => {
        const reply = replySubject(subject)
        expect(reply).toMatch(/^Re: [^\r\n]+$/u)
        expect(reply.length).toBeLessThanOrEqual(490)
        expect(reply).not.toMatch(INVISIBLE)
      }),
    )
  })
})

describe('replyRecipients', () => {
  const from = (address: string, name = '') => ({ name, address })
  it.each([
    ['the sender', from('a@x.test'), [], ['a@x.test'], []],
    ['the same Reply-To', from('a@x.test'), [from('A@x.test')], ['A@x.test'], []],
    ['another Reply-To', from('a@x.test'), [from('b@y.test')], ['b@y.test'], ['reply-to-differs']],
    ['a Reply-To nobody can name', from('a@x.test'), [from('"b c"@y.test')], ['a@x.test'], []],
    ['a look-alike domain', from('a@xn--80ak6aa92e.test'), [], ['a@xn--80ak6aa92e.test'], ['sender-address-unusual']],
    ['letters beyond ASCII', from('jörg@x.test'), [], ['jörg@x.test'], ['sender-address-unusual']],
    ['no plain address', from('"a b"@x.test'), [], [], ['sender-address-unusual']],
    ['a name that lies', from('t@e.test', 'boss@bank.test'), [], ['t@e.test'], ['sender-name-shows-other-address']],
  ])('names %s', (_name, sender, replyTo, to, risk) => {
    expect(replyRecipients({ from: sender, replyTo })).toEqual({ to, risk })
  })
})

describe('threads', () => {
  it('continue the chain and keep its root when it is long', () => {
    expect(replyReferences(['<a@x>', '<b@x>'], '<c@x>')).toEqual(['<a@x>', '<b@x>', '<c@x>'])
    expect(replyReferences(['<a@x>', '<a@x>'], undefined)).toEqual(['<a@x>'])
    const long = replyReferences(
      Array.from({ length: 40 }, (_, index) => `<${index}@x>`),
      '<new@x>',
    )
    expect(long).toHaveLength(20)
    expect([long[0], long.at(-1)]).toEqual(['<0@x>', '<new@x>'])
  })

  it('are named by their first message', () => {
    expect(threadIdOf({ references: ['<a@x>'], messageId: '<b@x>', digest: 'd' })).toBe('<a@x>')
    expect(threadIdOf({ references: [], messageId: '<b@x>', digest: 'd' })).toBe('<b@x>')
    expect(threadIdOf({ references: [], digest: 'd' })).toBe('sha256:d')
  })
})

describe('mailTaskId', () => {
  it('is the same for the same message and another for another account or message', () => {
    const key = mailKey('owner@x.test', { messageId: '<a@x>', digest: 'd1' })
    expect(mailKey('Owner@x.test', { messageId: '<a@x>', digest: 'd2' })).toBe(key)
    expect(mailKey('other@x.test', { messageId: '<a@x>', digest: 'd1' })).not.toBe(key)
    expect(mailKey('owner@x.test', { digest: 'd1' })).not.toBe(mailKey('owner@x.test', { digest: 'd2' }))
    const id = mailTaskId(key, Date.UTC(2026, 10, 20))
    expect(isTaskId(id)).toBe(true)
    expect(mailTaskId(key, Date.UTC(2026, 10, 20))).toBe(id)
  })
})
