import { expect, test } from 'vitest'
import { readBankScript } from '#core/bank-script.ts'
import type { PaymentOrder } from '#core/ports/payment.ts'

import { demoScript } from '#tests/support/bank/script.ts'
import { bankWay } from './bank-way.ts'

const ORDER: PaymentOrder = {
  ...{ payee: 'Muster Handels GmbH', iban: 'DE89370400440532013000', bic: undefined },
  ...{ amount: '12.50', currency: 'EUR', reference: 'Invoice 8', creditorReference: undefined },
  executeOn: '2026-12-01',
}

test.each([
  ['that fills in and reads back a date', (script: string) => script, true],
  ['that reads no date back', (script: string) => script.replace(", date: '#date' }", ' }'), false],
  ['that fills in no date', (script: string) => script.replace(/ {2}- fill: .*with: date \}\n/, ''), false],
])(
  'a script %s carries a payment of a certain day or says that it cannot, and always one at once',
  (_what, change, isCarried) => {
    const read = readBankScript('demo', change(demoScript('https://bank.example')))
    if (!read.ok) throw new Error(read.problems.join())
    const way = bankWay({
      ...{ script: read.script, stateDir: '/nowhere', isShown: false, browserFault: async () => undefined },
      keeper: { use: () => Promise.reject(new Error('nothing is opened')), [Symbol.asyncDispose]: async () => {} },
      ...{ clock: { now: () => 0 }, log: { debug() {}, info() {}, warn() {}, error() {} } },
    })
    expect(way.fault({ ...ORDER, executeOn: undefined })).toBeUndefined()
    expect(way.fault(ORDER)).toEqual(isCarried ? undefined : expect.stringContaining('not set up for a day'))
  },
)
