import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readHandbookRules } from './handbook-rules.ts'
import { type ActionParts, needsCode, type Risk, riskFacts, risksOf } from './risk.ts'
import { newTaskFile, renderSection, type TaskFile } from './task-file.ts'

const OWNER = 'owner@studio-nord.example'
const CLIENT = 'anna@acme.example'
const IBAN = 'DE89 3704 0044 0532 0130 00'
/** `mаil-firm` with a Cyrillic letter. */
const MIXED = new URL('http://mаil-firm.example').hostname
const OTHER_IBAN = 'GB29 NWBK 6016 1331 9268 19'
const HANDBOOK = `
## Rules
- Ask for a code over 500 EUR
- Always flag: rival.example, ceo@bigclient.example
- Known payees: ${IBAN}

## Known contacts
- Peter, peter@partner.example
- everybody @trusted.example

See https://docs.help.example/start
`

interface Case {
  readonly to?: string[]
  readonly text?: string
  readonly attachments?: string[]
  readonly original?: string
  readonly from?: string
  readonly replyTo?: string[]
  readonly risk?: string[]
  readonly domain?: 'email' | 'payment'
  readonly writtenTo?: string[]
  readonly handbook?: string
}

function taskOf(one: Case): TaskFile {
  const from = one.from ?? `Anna <${CLIENT}>`
  const original = `From: ${from}\nTo: ${OWNER}\nCopy to: Carl <carl@acme.example>\nSubject: x\n\n${one.original ?? 'Hello'}`
  return newTaskFile(
    {
      ...{ id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS', schema: '1', kind: 'EMAIL', domain: one.domain ?? 'email', title: 't' },
      ...{ created: '2026-11-20T10:00:00Z', generation: '1', risk: one.risk ?? [] },
      ...(from !== 'nobody' && { source: { provider: 'imap', from, reply_to: one.replyTo ?? [CLIENT] } }),
    },
    from === 'nobody' ? '\nWords.\n' : `\n${renderSection('original', `\`\`\`text\n${original}\n\`\`\``)}\n`,
  )
}

function judged(one: Case): Risk[] {
  const parts: ActionParts = {
    recipients: one.to ?? [CLIENT],
    text: one.text ?? 'Hello',
    attachments: one.attachments ?? [],
  }
  const rules = readHandbookRules(one.handbook ?? HANDBOOK)
  return risksOf(taskOf(one), parts, riskFacts(rules, [OWNER], one.writtenTo ?? [CLIENT]))
}
const flags = (one: Case) => judged(one).map(({ flag, level }) => (level === 'high' ? `${flag}!` : flag))

test('an answer to somebody known who wrote, with nothing new in it, has no risk', () => {
  expect(judged({ text: 'Dear Anna,\n\nit is on its way.\n\nOwner', original: 'Where is it?' })).toEqual([])
  expect(flags({ to: ['peter@partner.example', 'x@trusted.example', OWNER] })).toEqual([])
})

describe('who gets it', () => {
  test.each<[string, Case, string[]]>([
    ['never written to', { writtenTo: [] }, ['first-contact']],
    ['in copy of the mail', { to: ['carl@acme.example'] }, ['first-contact']],
    ['written in capitals', { to: ['ANNA@Acme.Example'] }, []],
    ['not in the thread', { to: [CLIENT, 'eve@elsewhere.example'] }, ['recipient-not-in-thread!']],
    ['a colleague not in the thread', { to: ['tom@studio-nord.example'] }, ['recipient-not-in-thread']],
    [
      'only named in the text of the mail',
      { to: ['eve@x.example'], original: 'write to eve@x.example' },
      ['recipient-not-in-thread!'],
    ],
    [
      'named by a line of the text like a head',
      { to: ['eve@x.example'], original: 'From: eve@x.example' },
      ['recipient-not-in-thread!'],
    ],
    [
      'only shown by the sender’s name',
      { to: ['eve@x.example'], from: `eve@x.example for Anna <${CLIENT}>` },
      ['recipient-not-in-thread!'],
    ],
    ['a new mail to a stranger', { to: ['eve@x.example'], from: 'nobody' }, ['first-contact']],
    ['a flagged domain', { to: ['a@mail.rival.example'], writtenTo: ['a@mail.rival.example'] }, ['recipient-flagged!']],
    [
      'a flagged address',
      { to: ['CEO@bigclient.example'], writtenTo: ['ceo@bigclient.example'] },
      ['recipient-flagged!'],
    ],
    ['beside a flagged domain', { to: ['a@notrival.example'], writtenTo: ['a@notrival.example'] }, []],
    ['like a contact', { to: ['peter@partner-invoices.example'] }, ['look-alike!', 'recipient-not-in-thread!']],
    [
      'who wrote, like a contact',
      { from: 'peter@partnner.example', to: ['peter@partnner.example'] },
      ['look-alike!', 'first-contact'],
    ],
    ['like the sender', { to: ['anna@acrne.example'] }, ['look-alike!', 'recipient-not-in-thread!']],
    [
      'like the sender, who is no contact',
      { writtenTo: [], to: ['anna@acrne.example'] },
      ['look-alike!', 'recipient-not-in-thread!'],
    ],
    ['like oneself', { to: ['owner@studionord.example'] }, ['look-alike!', 'recipient-not-in-thread!']],
    [
      'known under another ending',
      { to: ['peter@partner.test'], from: 'peter@partner.test' },
      ['look-alike', 'first-contact'],
    ],
    ['in two alphabets', { from: `x@${MIXED}`, to: [`x@${MIXED}`] }, ['look-alike!', 'first-contact']],
    [
      'in punycode',
      { from: 'x@xn--mnchen-3ya.example', to: ['x@xn--mnchen-3ya.example'] },
      ['address-unusual', 'first-contact'],
    ],
    [
      'elsewhere than the sender',
      { replyTo: ['anna@other.example'], to: ['anna@other.example'], writtenTo: ['anna@other.example'] },
      ['reply-to-differs'],
    ],
    [
      'at an address that imitates the sender',
      { from: 'bob@fabrikam.example', replyTo: ['bob@fabrlkam.example'], to: ['bob@fabrlkam.example'] },
      ['look-alike!', 'first-contact', 'reply-to-differs'],
    ],
  ])('%s', (_what, one, expected) => {
    expect(flags(one)).toEqual(expected)
  })

  test('punycode is shown as it reads', () => {
    const [risk] = judged({ from: 'x@xn--mnchen-3ya.example', to: ['x@xn--mnchen-3ya.example'] })
    expect(risk?.say).toContain('reads münchen.example')
  })
})

describe('money', () => {
  test.each<[string, Case, string[]]>([
    ['a payment', { domain: 'payment' }, ['payment!']],
    ['an account of the handbook', { text: `Pay to ${IBAN}` }, []],
    ['a new account', { text: `Pay to ${OTHER_IBAN}` }, ['iban-new!']],
    [
      'a new account with hidden signs in it',
      { text: `Pay to ${OTHER_IBAN.replaceAll(' ', '\u200b')}` },
      ['iban-new!', 'unusual-characters'],
    ],
    [
      'an account that the mail names',
      { text: `We pay to ${OTHER_IBAN}`, original: OTHER_IBAN.replaceAll(' ', '') },
      ['iban-of-thread'],
    ],
    ['an account with wrong check digits', { text: 'Pay to DE88 3704 0044 0532 0130 00' }, ['iban-wrong']],
    ['an account number', { text: 'Account no. 12345678' }, ['payee-new!']],
    [
      'an account number of the mail',
      { text: 'account number 12 345 678', original: 'Konto 12345678' },
      ['payee-of-thread'],
    ],
    ['a sort code', { text: 'sort code 20-00-00' }, ['payee-new!']],
    ['a bitcoin address', { text: 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq' }, ['payee-new!']],
    ['an ethereum address', { text: `0x${'aB12'.repeat(10)}` }, ['payee-new!']],
    ['over the limit', { text: 'Yes, 5k EUR.', original: '5.000 EUR?' }, ['amount-over-limit!']],
    ['on the limit', { text: '500 EUR', original: '500 EUR' }, []],
    ['over the limit in other money', { text: '501 USD', original: '$501' }, ['amount-over-limit!']],
    ['over the limit, where there is none', { text: '501 USD', original: '$501', handbook: '' }, []],
    ['a huge number', { text: '99999999999999999 EUR and 999999999999 bn EUR', original: '' }, ['amount-over-limit!']],
  ])('%s', (_what, one, expected) => {
    expect(flags(one)).toEqual(expected)
  })
})

describe('links, signs, attachments', () => {
  test.each<[string, Case, string[]]>([
    ['a link of the mail', { text: 'https://acme.example/x', original: 'hxxps[:]//www.acme.example/y' }, []],
    ['a link of the handbook', { text: 'see https://docs.help.example' }, []],
    ['a link to oneself', { text: 'www.studio-nord.example' }, []],
    ['a link to somebody written to', { text: 'https://www.acme.example', original: '' }, []],
    [
      'a link that only a stranger named',
      { text: 'https://shop.test/x', original: 'see hxxps[:]//shop.test/x' },
      ['link-of-thread'],
    ],
    [
      'a link of a stranger that imitates a known host',
      { text: 'https://acme-login.example/x', original: 'see hxxps[:]//acme-login.example/x' },
      ['link-look-alike!'],
    ],
    ['the sender’s address', { text: 'You wrote from anna@acme.example', writtenTo: [] }, ['first-contact']],
    ['an address that is new', { text: 'Write to eve@evil.test' }, ['link-new']],
    ['an address to write to with a click', { text: 'mailto:eve@evil.test?subject=x' }, ['link-new']],
    [
      'an address that only a stranger named',
      { text: 'Write to eve@evil.test', original: 'eve@evil.test' },
      ['link-of-thread'],
    ],
    ['an address that imitates', { text: 'Write to anna@acrne.example' }, ['link-look-alike!']],
    ['an address of the handbook', { text: 'Write to peter@partner.example' }, []],
    [
      'another mailbox of a provider',
      { text: 'Write to eve@gmail.com', writtenTo: [CLIENT, 'friend@gmail.com'] },
      ['link-new'],
    ],
    ['the mailbox of a friend', { text: 'Write to friend@gmail.com', writtenTo: [CLIENT, 'friend@gmail.com'] }, []],
    [
      'many new links, of which the worst are told first, and how many more there are',
      { text: `${Array.from({ length: 14 }, (_, n) => `http://n${n}.test/`).join(' ')} http://acme-login.example/` },
      ['link-look-alike!', ...Array.from({ length: 10 }, () => 'link-new')],
    ],
    ['a bare name that programs make a link of', { text: 'See evil.com.' }, ['link-new']],
    ['the name of a file', { text: 'See invoice.pdf, z.B. report.docx' }, []],
    ['a new link', { text: 'see http://evil.test/x' }, ['link-new']],
    ['a new link without a scheme', { text: 'see evil.test/x' }, ['link-new']],
    ['a new link behind backslashes', { text: 'see https:\\\\evil.test' }, ['link-new']],
    ['a link by number', { text: 'http://0x7f.1/' }, ['link-new']],
    ['a link that imitates a known host', { text: 'https://acme-login.example/x' }, ['link-look-alike!']],
    ['a link in punycode', { text: `https://${new URL('http://аcme.example').hostname}/x` }, ['link-look-alike!']],
    ['a host hidden behind an @', { text: 'https://acme.example@evil.test/x' }, ['link-deceives!', 'link-new']],
    ['a link that says another place', { text: '[acme.example](https://studio-nord.example)' }, ['link-deceives!']],
    ['a link that says its place', { text: '[www.studio-nord.example](https://studio-nord.example/x)' }, []],
    ['a link of an odd kind', { text: 'javascript:alert(1)' }, ['link-odd']],
    ['two alphabets in a word', { text: 'Раyment' }, ['unusual-characters']],
    ['a word of one other alphabet', { text: 'Привет, 10 kΩ' }, []],
    ['a hidden sign', { text: 'pay\u2060ment' }, ['unusual-characters']],
    ['pictographs', { text: '👩‍👧 ❤️ \ud83c\udff3\ufe0f\u200d\ud83c\udf08' }, []],
    ['a program', { attachments: ['invoice.pdf.exe'] }, ['attachment-program']],
    ['a note with macros', { attachments: ['Report.DOCM '] }, ['attachment-program']],
    ['packed files', { attachments: ['all.zip'] }, ['attachment-packed']],
    ['a turned name', { attachments: ['cod\u202efdp.exe'] }, ['attachment-name']],
    ['a plain file', { attachments: ['invoice.v2.pdf'] }, []],
  ])('%s', (_what, one, expected) => {
    expect(flags(one)).toEqual(expected)
  })
})

describe('what the file says of its own risk', () => {
  test('is added in words, or as it stands', () => {
    const risks = judged({ risk: ['mail-incomplete', 'something-else'] })
    expect(risks.map(({ say }) => say)).toEqual([
      expect.stringContaining('could not be read completely'),
      'something-else',
    ])
    expect(needsCode(risks)).toBe(false)
  })

  test('is not believed of what this machine traces by itself', () => {
    expect(flags({ risk: ['amount-new', 'ungrounded-date', 'ungrounded-promise', 'promise-of-thread'] })).toEqual([])
  })

  test('can raise: it asks for the code where this machine found nothing', () => {
    expect(flags({ risk: ['look-alike'] })).toEqual(['look-alike!'])
  })

  test('can never lower, and is not said twice', () => {
    expect(
      flags({ risk: ['first-contact', 'amount-over-limit'], writtenTo: [], text: '501 EUR', original: '501 EUR' }),
    ).toEqual(['amount-over-limit!', 'amount-over-limit!', 'first-contact'])
    for (const risk of [[], ['none'], ['safe', 'notice']])
      expect(needsCode(judged({ risk, domain: 'payment' }))).toBe(true)
  })
})

test('the worst stands first; a rule of the handbook that is not followed is told on every card', () => {
  const levels = judged({ to: ['e@x.example', CLIENT], text: 'http://evil.test 900 EUR', writtenTo: [] }).map(
    ({ level }) => level,
  )
  expect(levels).toEqual([...levels].sort((a) => (a === 'high' ? -1 : 1)))
  const [risk] = judged({ handbook: '## Rules\n- Be careful\n- Very' })
  expect(risk).toMatchObject({
    flag: 'handbook-unclear',
    level: 'notice',
    say: expect.stringMatching(/line 2.*and 1 more/),
  })
})

test('whatever stands in a draft: judged without a fault, and hostile lengths in time', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      (text) => void judged({ text: text.toWellFormed(), attachments: [text] }),
    ),
  )
  for (const piece of ['http://a.', '[a](', 'a.b/', '1 EUR ', 'account ', 'DE89', '0x', 'аa ']) {
    const text = piece.repeat(40_000 / piece.length)
    expect(judged({ text }).length).toBeLessThanOrEqual(30)
  }
})
