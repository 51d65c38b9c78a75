import { describe, expect, test } from 'vitest'
import {
  claimedBy,
  decideTransfer,
  givenBackBy,
  isBeingExecuted,
  isClaimable,
  mayClaim,
  takesUp,
  withHistory,
} from './claim.ts'
import { newTaskFile, renderSection, section, ticksOf, withFront, withSection } from './task-file.ts'
import type { Zone } from './zone-policy.ts'

const AT = '2026-11-20T10:00:00.000Z'
const AGENTS = new Map<string, Zone>([
  ['cloud', 'cloud'],
  ['cloud-b', 'cloud'],
  ['local', 'local'],
])
const open = (extra: object = {}) =>
  newTaskFile(
    {
      id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
      schema: '1',
      kind: 'EMAIL',
      domain: 'email',
      title: 'Invoice',
      created: '2026-11-20T10:00:00Z',
      generation: '1',
      ...extra,
    },
    `# Invoice\n\n${renderSection('draft', 'Dear Ana')}\n`,
  )
const action = { action: { tool: 'email.send_email' } }

describe('a claim', () => {
  test('adds one to the generation and a line of history', () => {
    expect(claimedBy(open(), 'cloud', AT).front).toMatchObject({
      generation: 2,
      history: [{ state: 'In_Progress/cloud', agent: 'cloud', at: AT }],
    })
  })

  test('of a card that came back keeps the text, and nothing of what the card said', () => {
    const card = withFront(open(action), { presented: { digest: 'sha256:x', at: '2026-11-20T10:00:00Z' } })
    const task = claimedBy(withSection(card, 'decision', '- [ ] Approve\n- [x] Redraft'), 'cloud', AT)
    expect(task.front).not.toHaveProperty('presented')
    expect(task.front).not.toHaveProperty('action')
    expect(ticksOf(task)).toEqual([])
    expect(section(task, 'draft')).toBe('Dear Ana')
  })

  test('is tried only for what stands in Needs_Action and belongs to the zone', () => {
    expect(isClaimable({ kind: 'needs-action', domain: 'email' }, 'cloud')).toBe(true)
    expect(isClaimable({ kind: 'needs-action', domain: 'payment' }, 'cloud')).toBe(false)
    expect(isClaimable({ kind: 'needs-action', domain: 'payment' }, 'local')).toBe(true)
    expect(isClaimable({ kind: 'pending', domain: 'email' }, 'cloud')).toBe(false)
  })

  test.each<[what: string, task: ReturnType<typeof open>, agent: string, zone: Zone, may: boolean, takes: boolean]>([
    ['an open task', open(), 'cloud', 'cloud', true, true],
    ['an open task, in the local zone', open(), 'local', 'local', true, false],
    ['one kept for it', open({ for: 'local' }), 'local', 'local', true, true],
    ['one kept for another', open({ for: 'cloud-b' }), 'cloud', 'cloud', false, false],
    ['what another gave back', givenBack('cloud-b'), 'cloud', 'cloud', true, true],
    ['what the person took from it', givenBack('cloud', 'person'), 'cloud', 'cloud', true, true],
    ['what it gave back itself', givenBack('cloud'), 'cloud', 'cloud', true, false],
    [
      'what it gave back itself and was kept for it',
      givenBack('cloud', 'cloud', 'cloud'),
      'cloud',
      'cloud',
      true,
      true,
    ],
    ['what it made itself', withHistory(open(), 'Needs_Action/email', 'cloud', AT), 'cloud', 'cloud', true, true],
  ])('of %s: whether it may be, and is without being asked', (_what, task, agent, zone, may, takes) => {
    expect([mayClaim(task, agent), takesUp(task, agent, zone)]).toEqual([may, takes])
  })

  test('ends what the task was kept for', () => {
    expect(claimedBy(open({ for: 'local' }), 'local', AT).front).not.toHaveProperty('for')
  })
})

describe('giving back', () => {
  test('fences the owner of before, and says who did it and for whom', () => {
    expect(givenBackBy(claimedBy(open(), 'cloud', AT), 'person', AT, 'cloud-b').front).toMatchObject({
      generation: 3,
      for: 'cloud-b',
      history: [{ state: 'In_Progress/cloud' }, { state: 'Needs_Action/email', agent: 'person', at: AT }],
    })
  })

  test('is nothing for what the executor has picked up', () => {
    expect(isBeingExecuted(withSection(open(action), 'card', 'what will be done'))).toBe(true)
    expect(isBeingExecuted(open(action))).toBe(false)
    expect(isBeingExecuted(claimedBy(withSection(open(action), 'card', 'x'), 'local', AT))).toBe(false)
  })

  test('keeps a task only for an agent that is known and may claim it', () => {
    expect(decideTransfer('email', 'cloud-b', AGENTS)).toEqual({ ok: true })
    expect(decideTransfer('payment', 'local', AGENTS)).toEqual({ ok: true })
    expect(decideTransfer('payment', 'cloud', AGENTS)).toMatchObject({ ok: false, rule: 'domain-local-only' })
    expect(decideTransfer('email', 'mallory', AGENTS)).toMatchObject({
      ok: false,
      rule: 'agent-unknown',
      say: 'no agent mallory is known here; there are: cloud, cloud-b, local',
    })
  })
})

function givenBack(agent: string, by = agent, keptFor?: string) {
  return givenBackBy(claimedBy(open(), agent, AT), by, AT, keptFor)
}
