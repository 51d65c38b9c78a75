import { describe, expect, test } from 'vitest'
import { actionFault, actionRows, briefOf, readAction } from './action.ts'
import { newTaskFile, renderSection } from './task-file.ts'

const LIMITS = { account: 'owner@countersign.test', maxRecipients: 10, whatsapp: { chats: 'all-people' } } as const
const ACTION = { tool: 'whatsapp.send_message', chat: '4915123456789@c.us', number: '+4915123456789', name: 'Anna' }
const read = (changes: Record<string, unknown> = {}, body = 'See you on Monday') =>
  readAction(
    newTaskFile(
      {
        ...{ id: '01KA3YQ6000000000000000000', schema: '1', kind: 'WHATSAPP', domain: 'whatsapp', title: 'x' },
        ...{ created: '2026-11-20T10:00:00.000Z', generation: '1' },
        action: { ...ACTION, ...changes } as typeof ACTION,
      },
      `${renderSection('draft', body)}\n`,
    ),
  )
const valid = (changes?: Record<string, unknown>, body?: string) => {
  const verdict = read(changes, body)
  if (!verdict.ok) throw new Error(verdict.problem)
  return verdict.action
}

describe('an action', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['another number than that of the chat', { number: '+4915123456780' }, 'action-number'],
    ['a chat that is none', { chat: 'status@broadcast' }, 'action-chat'],
    ['a number for a group', { chat: '120363012345678901@g.us' }, 'action-number'],
    ['a name with something invisible in it', { name: 'An\u202ena' }, 'action-name'],
    ['a field that no message has', { media: 'x' }, 'action-field'],
  ])('is refused with %s', (_what, changes, rule) => {
    expect(read(changes)).toMatchObject({
      ok: false,
      rule: expect.stringMatching(rule === 'action-field' ? /^action-/ : rule),
    })
  })
  test('is refused with control characters, or longer than anybody reads', () => {
    expect(read({}, 'x\u0007').ok).toBe(false)
    expect(read({}, 'x'.repeat(4_097)).ok).toBe(false)
  })
})

describe('this machine', () => {
  test('sends nothing where WhatsApp is not set up, into no group that is not named, and nothing half-written', () => {
    expect(actionFault(valid(), { ...LIMITS, whatsapp: undefined } as never)?.rule).toBe('whatsapp-off')
    const group = valid({ chat: '120363012345678901@g.us', number: undefined })
    expect(actionFault(group, LIMITS)?.rule).toBe('chat-not-allowed')
    expect(actionFault(group, { ...LIMITS, whatsapp: { chats: ['120363012345678901@g.us'] } })).toBeUndefined()
    expect(actionFault(valid(), { ...LIMITS, whatsapp: { chats: ['+4917000000001'] } })?.rule).toBe('chat-not-allowed')
    expect(actionFault(valid({}, 'Dear {{name}}'), LIMITS)?.rule).toBe('placeholder-left')
    expect(actionFault(valid(), LIMITS)).toBeUndefined()
  })
})

test('the card names the number first, and says what a name is worth', () => {
  const rows = Object.fromEntries(actionRows(valid()))
  expect(rows).toMatchObject({ To: '`+4915123456789`', Name: '`Anna`; they chose it themselves, it proves nothing' })
  expect(briefOf(valid())).toBe('WhatsApp message to +4915123456789')
  const hidden = Object.fromEntries(actionRows(valid({ chat: '81234567890123@lid', number: undefined })))
  expect(hidden.To).toContain('number hidden by WhatsApp')
})
