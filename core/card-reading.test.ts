import { expect, test } from 'vitest'
import { readingRows } from './card-reading.ts'

test.each([
  ['Dear Ana,\n\nit is on its way.', []],
  [
    'Look at https://bank.example/a, https://bank.example/b and http://\u0430\u0440\u0440\u04cf\u0435.com/',
    [['Links lead to', '`bank.example` (2 times), `xn--80ak6aa92e.com` (reads `\u0430\u0440\u0440\u04cf\u0435.com`)']],
  ],
  [
    'https://paypal.com@evil.example/x',
    [['Links lead to', '`evil.example` (carries a name before an @: what stands there is not where it leads)']],
  ],
  ['It is 1.200,50 €, once more 1.200,50 EUR, and 3 USD.', [['Amounts', '`1 200.50 EUR`, `3 USD`']]],
  [
    'IBAN DE89 3704 0044 0532 0130 00 or DE89 3704 0044 0532 0130 01',
    [
      [
        'Accounts',
        '`DE89 3704 0044 0532 0130 00` (its check digits are right), `DE89 3704 0044 0532 0130 01` (**its check digits are wrong**)',
      ],
    ],
  ],
])('of %j the card tells %j', (text, rows) => expect(readingRows(text)).toEqual(rows))

test('a text full of amounts is told shortly', () => {
  const [amounts] = readingRows(Array.from({ length: 60 }, (_, index) => `${index + 1} EUR`).join(', '))
  expect(amounts?.[1]).toMatch(/`20 EUR`, and 40 more$/)
})
