import { describe, expect, test } from 'vitest'
import { linksIn } from './draft-links.ts'

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

test('hostile drafts are looked through quickly', () => {
  expect(linksIn(`https://a.example/${'.'.repeat(100_000)}x`)).toHaveLength(1)
  for (const one of ['http://', 'a', 'www.', 'mailto:', 'a:', '://'])
    expect(linksIn(one.repeat(100_000 / one.length)).length).toBeLessThanOrEqual(20)
}, 5_000)
