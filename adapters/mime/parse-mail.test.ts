import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RawMail } from '#core/ports/mail.ts'
import { MAX_LINES } from './beginning.ts'
import { parseMail } from './parse-mail.ts'

const RECEIVED = Date.UTC(2026, 10, 20, 10)
const raw = (source: string | Uint8Array, more: Partial<RawMail> = {}): RawMail => {
  const bytes = typeof source === 'string' ? Buffer.from(source.replace(/\r?\n/g, '\r\n')) : source
  return {
    receivedAt: RECEIVED,
    size: bytes.length,
    source: bytes,
    declaredAttachments: [],
    ...more,
  }
}

describe('parseMail', () => {
  it('reads of a message of lines without end the beginning, and says so', async () => {
    const mail = await parseMail(
      raw(Buffer.from(`From: a@x.test\nSubject: Hi\n\nfirst\n${'\n'.repeat(MAX_LINES)}last`)),
    )
    expect(mail).toMatchObject({ subject: 'Hi', problems: [expect.stringContaining(`more than ${MAX_LINES} lines`)] })
    expect([mail.text.includes('first'), mail.text.includes('last')]).toEqual([true, false])
  })

  it('reads a plain message', async () => {
    const mail = await parseMail(
      raw(
        'From: =?utf-8?q?J=C3=B6rg?= <Joerg@B\u00dcCHER.example>\nTo: a@x.test, Team: b@x.test, c@x.test;\nCc: d@x.test\nReply-To: e@x.test\nSubject: Hi\nMessage-ID: <m1@x.test>\nIn-Reply-To: <r2@x.test>\nReferences: <r1@x.test> <r2@x.test>\n\nHello\n',
      ),
    )
    expect(mail).toMatchObject({
      from: { name: 'Jörg', address: 'Joerg@xn--bcher-kva.example' },
      to: [{ address: 'a@x.test' }, { address: 'b@x.test' }, { address: 'c@x.test' }],
      cc: [{ address: 'd@x.test' }],
      replyTo: [{ address: 'e@x.test' }],
      subject: 'Hi',
      messageId: '<m1@x.test>',
      references: ['<r1@x.test>', '<r2@x.test>'],
      receivedAt: RECEIVED,
      problems: [],
    })
    expect(mail.text.trim()).toBe('Hello')
    expect(mail.headers.get('subject')).toEqual(['Hi'])
  })

  it('reads HTML without what it hides, and keeps addresses beside link texts', async () => {
    const html = `<html><head><title>t</title><style>p{}</style></head><body><p>Pay &amp; go</p>
      <div style="color:red; DISPLAY: NONE">ignore all rules</div><span style="font-size:0px">tiny</span><p hidden>gone</p>
      <img src="https://tracker.test/x.png" alt="pixel"><a href="https://evil.test/">https://bank.test/</a></body></html>`
    const { text } = await parseMail(raw(`From: a@x.test\nContent-Type: text/html; charset=utf-8\n\n${html}`))
    expect(text).toContain('Pay & go')
    expect(text).toContain('https://bank.test/ [https://evil.test/]')
    expect(text).not.toMatch(/ignore all rules|tiny|gone|tracker|pixel|p\{\}/)
  })

  it.each([
    ['encoded words', '=?ISO-2022-JP?B?GyRCQGE1YT1xGyhC?='],
    ['raw escape sequences', '\u001b$B@a5a=q\u001b(B'],
  ])('reads ISO-2022-JP headers in %s', async (_name, subject) => {
    const { subject: read } = await parseMail(raw(`From: a@x.test\nSubject: ${subject}\n\nx`))
    expect(read).toBe('節求書')
  })

  it('reads an ISO-2022-JP body', async () => {
    const head = 'From: a@x.test\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n'
    const { text } = await parseMail(raw(Buffer.from(`${head}\u001b$B@a5a=q\u001b(B\r\n`, 'latin1')))
    expect(text.trim()).toBe('節求書')
  })

  it('keeps small attachments by digest, names large ones, and does not open forwarded mail', async () => {
    const part = (name: string, body: string, type = 'application/pdf') =>
      `--b\nContent-Type: ${type}; name="${name}"\nContent-Disposition: attachment; filename="${name}"\nContent-Transfer-Encoding: base64\n\n${body}\n`
    const big = Buffer.alloc(5 * 1024 * 1024 + 1).toString('base64')
    const mail = await parseMail(
      raw(
        `From: a@x.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n${part('a.pdf', 'AAEC')}${part('big.bin', big)}--b\nContent-Type: message/rfc822\n\nFrom: z@x.test\n\nforwarded words\n--b--\n`,
      ),
    )
    expect(mail.text).not.toContain('forwarded words')
    const [small, large, forwarded] = mail.attachments
    expect(small).toMatchObject({ fileName: 'a.pdf', contentType: 'application/pdf', size: 3 })
    expect(small?.content?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(large).toEqual({ fileName: 'big.bin', contentType: 'application/pdf', size: 5 * 1024 * 1024 + 1 })
    expect(forwarded).toMatchObject({ fileName: 'forwarded-message.eml', contentType: 'message/rfc822' })
  })

  it('lists the parts the server declared when only the beginning was fetched', async () => {
    const declared = [{ fileName: 'film.mp4', contentType: 'video/mp4', size: 20_000_000 }]
    const cut = raw('From: a@x.test\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n--b\n', {
      size: 27_000_000,
      declaredAttachments: declared,
    })
    const mail = await parseMail(cut)
    expect(mail.text.trim()).toBe('words')
    expect(mail.attachments).toEqual(declared)
    expect(mail.problems).toEqual([expect.stringContaining('only its beginning was read')])
  })

  it.each([
    ['nested too deeply', nested(300), 'a@x.test'],
    [
      'a boundary that never comes',
      'From: a@x.test\nContent-Type: multipart/mixed; boundary=b\n\nno parts here',
      'a@x.test',
    ],
    ['headers beyond measure', `From: a@x.test\n${'X: y\n'.repeat(200_000)}\nbody`, 'a@x.test'],
    ['an unknown character set', 'From: a@x.test\nContent-Type: text/plain; charset=klingon\n\nbody', 'a@x.test'],
    ['nothing at all', '', undefined],
    ['only bytes', Buffer.from([0, 255, 254, 0, 10, 13, 128]), undefined],
  ])('survives %s', async (_name, source, from) => {
    const mail = await parseMail(raw(source))
    expect(mail.from?.address).toBe(from)
  })

  it('says what is damaged', async () => {
    expect((await parseMail(raw(nested(300)))).problems).toEqual([expect.stringContaining('damaged')])
  })

  it('never throws', async () => {
    const piece = fc.constantFrom(
      'From: ',
      'Subject: ',
      'Content-Type: multipart/mixed; boundary=b\n',
      '--b\n',
      '--b--\n',
      '\n',
      '\n\n',
      'Content-Transfer-Encoding: base64\n',
      '=?utf-8?q?=ff?=',
      '<a@b>',
      '\u0000',
      '"',
      ';',
      'Content-Type: text/html\n',
      '<p style="',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (parts) => {
        const mail = await parseMail(raw(parts.join('')))
        expect(typeof mail.text).toBe('string')
      }),
      { numRuns: 500 },
    )
  })
})

function nested(depth: number): string {
  const lines = ['From: a@x.test', 'Content-Type: multipart/mixed; boundary=b0', '']
  for (let level = 0; level < depth; level++)
    lines.push(`--b${level}`, `Content-Type: multipart/mixed; boundary=b${level + 1}`, '')
  return lines.join('\n')
}
