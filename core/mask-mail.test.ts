import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joined as j, noise } from '#tests/secrets/noise.ts'
import { RULE_FIXTURES } from '#tests/secrets/rule-fixtures.ts'
import { maskMail, maskSecrets } from './mask-mail.ts'
import type { IncomingMail } from './ports/mail.ts'
import { findSecrets } from './secret-rules.ts'

const FOUND = Object.values(RULE_FIXTURES).flatMap(({ finds }) => finds)
const TOKEN = j('gh', 'p_', noise(36))
const blocking = (text: string) => findSecrets(text).filter(({ kind }) => kind === 'block')

describe('masking a text', () => {
  it.each([
    ['Your verification code is 482913. Thanks!', 'Your verification code is ⟦masked:one-time-code⟧. Thanks!'],
    ['Ihre PIN lautet 4821.', 'Ihre PIN lautet ⟦masked:pin⟧.'],
    [
      j('Reset it: https://shop.example/reset?token=', noise(32), '&lang=de now'),
      'Reset it: https://shop.example/reset?token=⟦masked:link-token⟧&lang=de now',
    ],
    [
      j('Sign in: https://app.example/magic-link/', noise(40)),
      'Sign in: https://app.example/magic-link/⟦masked:link-token⟧',
    ],
    [j('The key: ', TOKEN, '.'), 'The key: ⟦masked:github-token⟧.'],
    [
      j('https://deploy:', noise(14), '@git.example.org/x'),
      'https://deploy:⟦masked:url-credentials⟧@git.example.org/x',
    ],
    [
      `Das Passwort lautet: ${j('Sommer', '2026#')} bitte ändern`,
      'Das Passwort lautet: ⟦masked:password⟧ bitte ändern',
    ],
    ['Lunch at 12:30 on 2026-11-20? Invoice 482913 is paid.', 'Lunch at 12:30 on 2026-11-20? Invoice 482913 is paid.'],
    ['IBAN DE89 3704 0044 0532 0130 00, 1.200,50 €', 'IBAN DE89 3704 0044 0532 0130 00, 1.200,50 €'],
  ])('takes out what it names and nothing else: %s', (text, masked) => {
    expect(maskSecrets(text).text).toBe(masked)
  })

  it('takes out what is hidden by white space that nobody sees, by escapes and by base64', () => {
    const hidden = [...TOKEN].join('\u200b')
    const wrapped = Buffer.from(`a note with the ${TOKEN} in it`).toString('base64')
    for (const text of [hidden, wrapped, encodeURIComponent(TOKEN).replace('_', '%5F')]) {
      const { text: left, masked } = maskSecrets(`before ${text} after`)
      expect(left).toBe('before ⟦masked:github-token⟧ after')
      expect(masked).toEqual(['github-token'])
    }
  })

  it('leaves nothing behind that would keep a file back, whatever stands next to what', () => {
    const piece = fc.oneof(
      fc.constantFrom(...FOUND),
      fc.constantFrom('\n', ' ', '> ', '=', '"', '\u200b', '%'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect(blocking(maskSecrets(pieces.join('')).text)).toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})

describe('masking a mail', () => {
  const mail: IncomingMail = {
    messageId: `<${TOKEN}@x.test>`,
    references: ['<m0@x.test>', `<${TOKEN}@x.test>`],
    from: { name: `Bot ${TOKEN}`, address: 'bot@x.test' },
    replyTo: [{ name: '', address: `${TOKEN}@x.test` }],
    to: [{ name: 'Me', address: 'me@x.test' }],
    cc: [],
    subject: 'Your login code is 482913',
    receivedAt: 0,
    text: 'Hello',
    attachments: [
      attachment('key.pem', `-----BEGIN ${j('PRIVATE', ' KEY')}-----\n${noise(64, 'base64')}\n`),
      attachment('plan.txt', 'Your login code is 482913'),
    ],
    headers: new Map(),
    digest: 'd',
    problems: [],
  }

  it('leaves no field of it out', () => {
    const { mail: left, masked } = maskMail(mail)
    expect(left).toMatchObject({
      references: ['<m0@x.test>'],
      from: { name: 'Bot ⟦masked:github-token⟧', address: 'bot@x.test' },
      replyTo: [],
      to: mail.to,
      subject: 'Your login code is ⟦masked:one-time-code⟧',
    })
    expect(left.messageId).toBeUndefined()
    expect(left.attachments.map(({ content }) => content !== undefined)).toEqual([false, true])
    expect(masked).toEqual(['github-token', 'one-time-code', 'private-key'])
  })

  function attachment(fileName: string, text: string) {
    const bytes = Buffer.from(text)
    return { fileName, contentType: 'text/plain', size: bytes.length, content: { sha256: 'x', bytes } }
  }
})
