import { expect, test } from 'vitest'
import { demoScript } from '#tests/support/bank/script.ts'
import { isOfBank, reachOf, readBankScript } from './bank-script.ts'

const ORIGIN = 'https://bank.example'
const GOOD = demoScript(ORIGIN)

function problemsOf(text: string, name = 'demo'): string {
  const verdict = readBankScript(name, text)
  return verdict.ok ? '' : verdict.problems.join('; ')
}

test('a script is read, and says what may be reached', () => {
  const verdict = readBankScript('demo', GOOD)
  expect(verdict).toMatchObject({ ok: true, script: { bank: 'demo', currencies: ['EUR'] } })
  if (verdict.ok) expect(reachOf([verdict.script])).toEqual([{ host: 'bank.example', port: 443 }])
})

test.each<[name: string, from: string | RegExp, to: string, problem: RegExp]>([
  ['a page elsewhere', `- open: ${ORIGIN}`, '- open: https://evil.example', /at none of its origins/],
  [
    'a list of orders elsewhere',
    `open: ${ORIGIN}/orders`,
    'open: https://bank.example.evil.example/orders',
    /at none of its origins/,
  ],
  ['an address without TLS', `origins: [${ORIGIN}]`, 'origins: [http://bank.example]', /origins/],
  ['a bare address', `origins: [${ORIGIN}]`, 'origins: [https://192.0.2.7]', /origins/],
  ['a bare address in other digits', `origins: [${ORIGIN}]`, "origins: ['https://0x7f000001']", /origins/],
  ['a star', `origins: [${ORIGIN}]`, "origins: ['https://*.example']", /origins/],
  ['a path in an origin', `origins: [${ORIGIN}]`, `origins: [${ORIGIN}/pay]`, /origins/],
  ['a user in an address', `login: ${ORIGIN}`, 'login: https://bank.example@evil.example', /at none of its origins/],
  ['no read-back of the IBAN', "iban: '#iban', ", '', /read_back\.iban/],
  ['no read-back at all', /read_back: .*\n/, '', /read_back/],
  ['no button', /press: .*\n/, '', /press/],
  ['an IBAN that is typed nowhere', /.*with: iban.*\n/, '', /the iban is filled in nowhere/],
  ['an amount that is typed twice', 'with: reference', 'with: amount', /the amount is filled in twice/],
  ['no count of the fields', /.*- fields.*\n/g, '', /needs a step `fields`/],
  [
    'a step that presses the deciding button',
    'role=button[name="Continue"]',
    'role=button[name="Order payment"]',
    /press/,
  ],
  ['a step of another kind', '- click:', '- evaluate:', /payment/],
  ['a value of its own', 'with: payee', 'with: Mallory', /payment/],
  ['no end', /then:\n( {2}.*\n)+/, 'then: {}\n', /`done` or `hand_over`/],
  ['an unknown key', 'title:', 'tittle:', /title/],
  ['a reference of a snapshot', "'#payee'", 'e12', /selector/],
  ['one word for two states', 'refused: [Cancelled]', 'refused: [Carried out]', /stands for two things/],
  ['an alias', 'title: Demonstration Bank', 'title: &x Demonstration Bank', /the script uses/],
  ['a long wait', "minutes: '10'", "minutes: '0'", /minutes/],
])('a script with %s is refused', (_name, from, to, problem) => {
  const changed = GOOD.replace(from, to)
  expect(changed).not.toBe(GOOD)
  expect(problemsOf(changed)).toMatch(problem)
})

test('a file that has another bank’s name is refused', () => {
  expect(problemsOf(GOOD, 'other')).toMatch(/the file is named other/)
})

test.each([
  [`${ORIGIN}/pay`, true],
  ['https://bank.example:443/', true],
  ['https://bank.example:8443/', false],
  ['http://bank.example/', false],
  ['https://bank.example@evil.example/', false],
  ['https://user@bank.example/', false],
  ['https://bank.example.evil.example/', false],
  ['chrome-error://chromewebdata/', false],
  ['about:blank', false],
  ['data:text/html,bank.example', false],
])('%s is of the bank: %s', (address, expected) => {
  expect(isOfBank(address, { origins: [ORIGIN] })).toBe(expected)
})
