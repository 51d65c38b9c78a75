import { expect, it } from 'vitest'
import { undelivered, usesNamed } from './bounce.ts'

const ID = '01J8Z3W6Q0ABCDEFGHJKMNPQRS'

it('knows the mails of this machine by their Message-ID', () => {
  const key = `<${ID}.2@home.test>`
  expect(usesNamed(['<other@home.test>', key], 'me@home.test')).toEqual([{ taskId: ID, generation: 2, key }])
})

it.each([
  `<${ID}.2@elsewhere.test>`,
  `<${ID}@home.test>`,
  `<${ID}.x@home.test>`,
  `<01J8Z3W6Q0ABCDEFGHJKMNPQ.2@home.test>`,
  `${ID}.2@home.test`,
])('takes %s for none', (id) => {
  expect(usesNamed([id], 'me@home.test')).toEqual([])
})

it('names only addresses that the mail went to, and nothing that acts or hides', () => {
  const failed = [
    { address: 'Ana@acme.test', status: '5.1.1', reason: 'no such\nuser \u202e<%x%>' },
    { address: 'eve@evil.test', status: '', reason: '' },
  ]
  expect(undelivered({ ids: [], failed }, ['ana@acme.test'])).toEqual([
    'ana@acme.test: 5.1.1 no such user ⟦U+202E⟧‹%x%›',
    'another address: no reason given',
  ])
})
