import { expect, test } from 'vitest'
import type { Receipt } from '#core/countersignature.ts'
import type { MessageOutcome } from '#core/ports/whatsapp.ts'
import type { SendMessageAction } from '#core/whatsapp-action.ts'
import { type SendDeps, sendOnce } from './send-once.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const ACTION: SendMessageAction = { tool: 'whatsapp.send_message', chat: '4915123456789@c.us', body: 'Hello' }
const RECEIPT = { nonce: 'a'.repeat(32) } as Receipt

function parts(changes: { sentAt?: number[]; outcome?: MessageOutcome; isReady?: boolean; chats?: string[] } = {}) {
  const happened: unknown[] = []
  const { outcome = { kind: 'accepted', id: 'true_x_1' } } = changes
  const client = {
    async send(message: unknown) {
      happened.push(['sent', message])
      return outcome
    },
  }
  const deps: SendDeps = {
    keeper: {
      client: () => (changes.isReady === false ? undefined : (client as never)),
      status: () => ({ say: 'WhatsApp cannot be reached.' }) as never,
    },
    memory: {
      unsent: (nonce) => void happened.push(['unsent', nonce]),
      became: (_nonce, id) => void happened.push(['became', id]),
      sentAt: () => changes.sentAt ?? [],
    },
    chats: changes.chats ?? 'all-people',
    pacing: { gapMs: 5_000, perDay: 2 },
    clock: { now: () => NOW },
  }
  return { happened, send: () => sendOnce(ACTION, { key: 'k', receipt: RECEIPT }, deps) }
}
const SENT = ['sent', { chat: ACTION.chat, number: undefined, text: 'Hello' }]

test('what was sent is written down with its message', async () => {
  const { send, happened } = parts()
  expect(await send()).toMatchObject({ outcome: 'accepted', key: 'k' })
  expect(happened).toEqual([SENT, ['became', 'true_x_1']])
})

test('what stands in the chat unconfirmed is written down as well, and is unknown', async () => {
  const { send, happened } = parts({ outcome: { kind: 'unknown', id: 'true_x_2', reason: 'no answer' } })
  expect(await send()).toMatchObject({ outcome: 'unknown', code: 'ERR_OUTCOME_UNKNOWN' })
  expect(happened).toEqual([SENT, ['became', 'true_x_2']])
})

test.each<[string, Parameters<typeof parts>[0], string]>([
  ['a second within the gap', { sentAt: [NOW - 4_999] }, 'ERR_WHATSAPP_UNREACHABLE'],
  ['more in a day than allowed', { sentAt: [NOW - 80_000_000, NOW - 6_000] }, 'ERR_WHATSAPP_UNREACHABLE'],
  ['a chat that is not named', { chats: ['+4917000000001'] }, 'ERR_WHATSAPP_REFUSED'],
  ['a session that is not ready', { isReady: false }, 'ERR_WHATSAPP_UNREACHABLE'],
])('refuses %s, asks nobody, and counts it for no pace', async (_what, changes, code) => {
  const { send, happened } = parts(changes)
  expect(await send()).toMatchObject({ outcome: 'refused', code })
  expect(happened).toEqual([['unsent', RECEIPT.nonce]])
})

test('what the page surely did not send is refused, and counts for no pace', async () => {
  const { send, happened } = parts({ outcome: { kind: 'refused', say: 'Lid is missing' } })
  expect(await send()).toMatchObject({ outcome: 'refused', code: 'ERR_WHATSAPP_REFUSED' })
  expect(happened).toEqual([SENT, ['unsent', RECEIPT.nonce]])
})

test('sends once more as soon as the gap is over', async () => {
  const { send } = parts({ sentAt: [NOW - 5_000] })
  expect(await send()).toMatchObject({ outcome: 'accepted' })
})
