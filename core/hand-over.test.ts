import { describe, expect, test } from 'vitest'
import { arrivalFault, decideHandOver, handedOf, handedOver, sayHanded } from './hand-over.ts'
import { newTaskFile, parseTaskFile, renderTaskFile, type TaskFile, withFront } from './task-file.ts'
import type { Domain } from './vault-path.ts'
import type { Zone } from './zone-policy.ts'

const AT = '2026-11-20T10:00:00Z'
const agents = new Map<string, Zone>([
  ['cloud', 'cloud'],
  ['local', 'local'],
  ['laptop', 'local'],
])
const taskOf = (domain: Domain, more: object = {}): TaskFile =>
  newTaskFile(
    {
      ...{ id: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q', schema: '1', kind: 'EMAIL', domain, title: 'T', created: AT },
      ...{ generation: '3', ...more },
    } as Parameters<typeof newTaskFile>[0],
    '',
  )

describe('whether a task may change hands', () => {
  test.each<[string, Domain, { to?: string; domain?: Domain }, boolean, string]>([
    ['a mail to the other zone', 'email', { to: 'local' }, false, 'ok'],
    ['a mail back to the cloud', 'email', { to: 'cloud' }, false, 'ok'],
    ['a mail that is a bill', 'email', { domain: 'payment' }, false, 'ok'],
    ['a mail that is a bill, kept for this machine', 'email', { to: 'local', domain: 'payment' }, false, 'ok'],
    ['a bill to the cloud', 'payment', { to: 'cloud' }, false, 'private-stays'],
    ['a bill as a mail', 'payment', { domain: 'email' }, false, 'private-stays'],
    ['a bill as a mail, kept for this machine', 'payment', { to: 'local', domain: 'email' }, false, 'private-stays'],
    ['a chat to the cloud', 'whatsapp', { to: 'cloud' }, false, 'private-stays'],
    ['a bill to another agent of this zone', 'payment', { to: 'laptop' }, false, 'ok'],
    ['a chat that asks for money', 'whatsapp', { domain: 'payment' }, false, 'ok'],
    ['a mail that once was a bill to the cloud', 'email', { to: 'cloud' }, true, 'private-stays'],
    ['a mail that once was a bill to this zone', 'email', { to: 'local' }, true, 'ok'],
    ['a bill that is called a mail again, as a post', 'email', { domain: 'social' }, true, 'private-stays'],
    ['a mail to nobody known', 'email', { to: 'stranger' }, false, 'agent-unknown'],
    ['a bill for the cloud to pay', 'email', { to: 'cloud', domain: 'payment' }, false, 'domain-local-only'],
  ])('%s', (_what, domain, over, hasStayed, rule) => {
    const verdict = decideHandOver(taskOf(domain), over, { agents, hasStayed })
    expect(verdict.ok ? 'ok' : verdict.rule).toBe(rule)
    if (!verdict.ok) expect(verdict.say).toMatch(/^\S.{10,}/)
  })

  test('not one that was done', () => {
    const done = taskOf('email', { outcome: { status: 'done' } })
    expect(decideHandOver(done, { to: 'local' }, { agents, hasStayed: false })).toMatchObject({ rule: 'already-done' })
  })
})

describe('a task that is handed over', () => {
  test('says from whom, why and what it was, under a new generation and in its new domain', () => {
    const given = handedOver(taskOf('email'), { to: 'local', domain: 'payment', why: ' a bill\n# x ' }, 'cloud', AT)
    expect(given.front).toMatchObject({ domain: 'payment', generation: 4, for: 'local' })
    expect(given.front.history.at(-1)).toEqual({ state: 'Needs_Action/payment', agent: 'cloud', at: AT })
    expect(handedOf(given)).toEqual({ from: 'cloud', was: 'email', at: AT, why: 'a bill # x' })
    expect(sayHanded(given)).toBe(`handed over to local by cloud as payment (it was email), ${AT}: a bill # x`)
    expect(parseTaskFile(renderTaskFile(given))).toMatchObject({ ok: true })
  })

  test('that is only given back says nothing of the kind', () => {
    const given = handedOver(taskOf('email'), {}, 'cloud', AT)
    expect([handedOf(given), sayHanded(given), given.front.for]).toEqual([undefined, undefined, undefined])
  })

  test.each<[string, object]>([
    ['no text', { from: ['x'], was: 'email', at: AT }],
    ['no domain', { from: 'cloud', was: 'vault', at: AT }],
    ['nothing', {}],
  ])('whose status is %s is read as if it had none', (_what, handed) => {
    expect(handedOf(withFront(taskOf('email'), { handed } as object))).toBeUndefined()
  })

  test('is not taken up where it would have left the zone that it came from, and says so', () => {
    const leaked = withFront(taskOf('email'), { handed: { from: 'local', was: 'payment', at: AT } } as object)
    expect(arrivalFault(leaked)).toContain('payment')
    expect(sayHanded(leaked)).toContain('Not taken up: ')
    const bill = handedOver(taskOf('email'), { domain: 'payment' }, 'cloud', AT)
    expect(arrivalFault(bill)).toBeUndefined()
    expect(arrivalFault(withFront(bill, { outcome: { status: 'done' } }))).toContain('done')
  })
})
