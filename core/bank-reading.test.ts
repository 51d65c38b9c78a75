import { expect, test } from 'vitest'
import { differences, readAmount, readDay, typedValue } from './bank-reading.ts'
import type { PaymentOrder } from './ports/payment.ts'

const FORMATS = { decimal: ',', thousands: '.', date: 'DD.MM.YYYY' } as const
const ORDER: PaymentOrder = {
  ...{ payee: 'Muster Handels GmbH', iban: 'DE89370400440532013000', bic: undefined },
  ...{ amount: '1234.56', currency: 'EUR', reference: 'Invoice 2026-0815', creditorReference: undefined },
  executeOn: '2026-12-01',
}
const SHOWN = {
  payee: 'Muster Handels GmbH',
  iban: 'DE89 3704 0044 0532 0130 00',
  amount: '1.234,56 EUR',
  reference: 'Invoice 2026-0815',
  date: '01.12.2026',
}

test('finds no difference in what a page shows as people write it', () => {
  expect(differences(SHOWN, ORDER, FORMATS)).toEqual([])
  expect(differences({ ...SHOWN, payee: ' Muster\n Handels\u00a0GmbH' }, ORDER, FORMATS)).toEqual([])
})

test.each<[name: string, shown: Partial<Record<keyof typeof SHOWN | 'currency', string | undefined>>, found: string[]]>(
  [
    ['a letter more in the payee', { payee: 'Muster Handels GmbHs' }, ['another payee']],
    ['a look-alike in the payee', { payee: 'Muster Hаndels GmbH' }, ['another payee']],
    ['no payee', { payee: undefined }, ['it does not show the payee']],
    ['another digit of the IBAN', { iban: 'DE89 3704 0044 0532 0130 01' }, ['another IBAN']],
    ['two IBANs', { iban: 'DE89370400440532013000 DE02120300000000202051' }, ['another IBAN']],
    ['ten times as much', { amount: '12.345,60 EUR' }, ['another amount']],
    ['a comma moved', { amount: '123.456 EUR' }, ['another amount']],
    [
      'the other spelling of numbers',
      { amount: '1,234.56 EUR' },
      ['it does not show the amount', 'it does not show the currency'],
    ],
    [
      'an amount with words',
      { amount: '1.234,56 EUR plus 25,00 EUR' },
      ['it does not show the amount', 'it does not show the currency'],
    ],
    ['another currency', { amount: '1.234,56 USD' }, ['another currency']],
    ['no currency', { amount: '1.234,56' }, ['it does not show the currency']],
    ['two currencies', { currency: 'USD' }, ['another currency']],
    ['another reference', { reference: 'Invoice 2026-0816' }, ['another reference']],
    ['no reference', { reference: undefined }, ['it does not show the reference']],
    ['another day', { date: '12.01.2026' }, ['another date']],
    ['no day', { date: 'at once' }, ['another date']],
    ['no place for the day', { date: undefined }, ['it does not show the date']],
  ],
)('%s is a difference', (_name, shown, found) => {
  expect(differences({ ...SHOWN, ...shown } as typeof SHOWN, ORDER, FORMATS)).toEqual(found)
})

test.each([
  ['1.234,56 EUR', '1234.56', 'EUR'],
  ['€ 12,00', '12.00', 'EUR'],
  ['12,00 £', '12.00', 'GBP'],
  ['1234,56', '1234.56', undefined],
  ['1.234.567,00 EUR', '1234567.00', 'EUR'],
])('reads %s', (text, value, currency) => {
  expect(readAmount(text, FORMATS)).toEqual({ value, currency })
})

test.each([
  '',
  '-1,00 EUR',
  '1.23,40 EUR',
  '1,00 EUR 2',
  'EUR 1,00 EUR',
  '1.00.0,00',
  '１２,00 EUR',
  '1,00000 EUR',
  '12,00 eur',
])('does not read %j as an amount', (text) => {
  expect(readAmount(text, FORMATS)).toBeUndefined()
})

test('types what the bank wants to have typed', () => {
  expect(typedValue('amount', ORDER, FORMATS)).toBe('1234,56')
  expect(typedValue('date', ORDER, FORMATS)).toBe('01.12.2026')
  expect(typedValue('date', { ...ORDER, executeOn: undefined }, FORMATS)).toBeUndefined()
  expect(
    typedValue('reference', { ...ORDER, reference: undefined, creditorReference: 'RF18539007547034' }, FORMATS),
  ).toBe('RF18539007547034')
})

test('reads a day in the bank’s form only', () => {
  expect(readDay('01.12.2026', 'DD.MM.YYYY')).toBe('2026-12-01')
  expect(readDay('12/01/2026', 'MM/DD/YYYY')).toBe('2026-12-01')
  expect(readDay('2026-12-01', 'YYYY-MM-DD')).toBe('2026-12-01')
  for (const text of ['1.12.2026', '31.13.2026', '01.12.26', 'x01.12.2026'])
    expect(readDay(text, 'DD.MM.YYYY')).toBeUndefined()
})
