import { expect, test } from 'vitest'
import { sayTask } from './task-words.ts'

test.each([
  [{ tool: 'email.send_email', to: ['ana@acme.example'], cc: [] }, 'e-mail to ana@acme.example'],
  [{ tool: 'email.send_email', to: ['a@x.y', 'b@x.y'], cc: ['c@x.y'] }, 'e-mail to a@x.y, b@x.y, c@x.y'],
  [{ tool: 'email.send_email', to: ['a@x.y', 'b@x.y'], cc: ['c@x.y', 'd@x.y'] }, 'e-mail to a@x.y, b@x.y and 2 more'],
  [{ tool: 'social.publish_post', network: 'mastodon' }, 'post on mastodon'],
  [{ tool: 'payment.pay', amount: '120.00', currency: 'EUR', payee: 'ACME' }, 'pay of 120.00 EUR to ACME'],
  [{ tool: 'odoo.post_invoice', amount: '7' }, 'post invoice of 7'],
  [{ tool: 'constructor', to: { deep: 'x' } }, 'constructor'],
  [undefined, 'nothing to do in it'],
])('%j is said as %j', (action, said) => {
  expect(sayTask({ action })).toBe(said)
})
