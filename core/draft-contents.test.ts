import { describe, expect, test } from 'vitest'
import { amountsIn, ibansIn, linksIn } from './draft-contents.ts'

describe('links of a draft are told by where they lead', () => {
  test.each([
    ['see https://bank.example/a, and https://bank.example/b.', [{ domain: 'bank.example', odd: [], count: 2 }]],
    ['(www.acme.example)', [{ domain: 'www.acme.example', odd: [], count: 1 }]],
    ['HTTPS://Bank.Example/X', [{ domain: 'bank.example', odd: [], count: 1 }]],
    [
      'http://\u0430\u0440\u0440\u04cf\u0435.com/',
      [{ domain: 'xn--80ak6aa92e.com', reads: '\u0430\u0440\u0440\u04cf\u0435.com', odd: [], count: 1 }],
    ],
    [
      'https://paypal.com@evil.example/x',
      [
        {
          domain: 'evil.example',
          odd: ['carries a name before an @: what stands there is not where it leads'],
          count: 1,
        },
      ],
    ],
    [
      'http://0x7f000001:8080/',
      [{ domain: '127.0.0.1', odd: ['leads to a bare number instead of a name', 'port 8080'], count: 1 }],
    ],
    ['http://[::1]/', [{ domain: '[::1]', odd: ['leads to a bare number instead of a name'], count: 1 }]],
    ['ftp://files.example/x', [{ domain: 'files.example', odd: ['opens with ftp:'], count: 1 }]],
    ['javascript:alert(1)', [{ domain: 'javascript:alert(1', odd: ['opens with javascript:'], count: 1 }]],
    ['mailto:a@b.example?subject=x', [{ domain: 'b.example', odd: ['writes a mail to a@b.example'], count: 1 }]],
    ['http://[', [{ domain: 'http://[', odd: ['cannot be read as a link'], count: 1 }]],
    ['no link: a@www.example.com, e.g. this, 12:30', []],
  ])('%s', (text, links) => expect(linksIn(text)).toEqual(links))

  test('at most twenty', () => {
    const text = Array.from({ length: 50 }, (_, index) => `https://h${index}.example`).join(' ')
    expect(linksIn(text)).toHaveLength(20)
  })
})

test.each([
  ['1.200,50 € and EUR 3,000.00', ['1.200,50 €', 'EUR 3,000.00']],
  ["$5, £20 or CHF 1'000.-", ['$5', '£20', "CHF 1'000"]],
  ['100 euros, 12 USD; 12 USD again', ['100 euros', '12 USD']],
  ['1\u202f200,50\u00a0€', ['1 200,50 €']],
  ['3 apples, v1.2, in 2026, eurozone 5', []],
])('amounts in %j', (text, amounts) => expect(amountsIn(text)).toEqual(amounts))

describe('bank accounts of a draft', () => {
  test.each([
    ['IBAN DE89 3704 0044 0532 0130 00 EUR', 'DE89 3704 0044 0532 0130 00', 'ok'],
    ['gb82west12345698765432.', 'GB82 WEST 1234 5698 7654 32', 'ok'],
    ['FR14-2004-1010-0505-0001-3M02-606', 'FR14 2004 1010 0505 0001 3M02 606', 'ok'],
    ['DE89 3704 0044 0532 0130 01', 'DE89 3704 0044 0532 0130 01', 'checksum-wrong'],
    ['NL91 ABNA 0417 1643', 'NL91 ABNA 0417 1643', 'too-short'],
    ['XX12 1234 5678 9012', 'XX12 1234 5678 9012', 'country-unknown'],
  ])('%s', (text, iban, verdict) => expect(ibansIn(text)).toEqual([{ iban, verdict }]))

  test('two that follow each other are two, the same twice is one', () => {
    const two = 'DE89 3704 0044 0532 0130 00 NL91 ABNA 0417 1643 00 DE89370400440532013000'
    expect(ibansIn(two).map((one) => one.iban)).toEqual(['DE89 3704 0044 0532 0130 00', 'NL91 ABNA 0417 1643 00'])
  })

  test('other words and numbers are none', () => {
    expect(ibansIn('Meet at10 in room AB12 please, order PO2026-1234 and 0123456789')).toEqual([])
  })
})

test('hostile drafts are looked through quickly', () => {
  const drafts = ['http://', '1.', '1 000 ', 'DE12 ', 'a', 'www.', 'mailto:'].map((one) =>
    one.repeat(100_000 / one.length),
  )
  for (const draft of drafts) for (const look of [linksIn, amountsIn, ibansIn]) expect(look(draft)).toBeDefined()
}, 5_000)
