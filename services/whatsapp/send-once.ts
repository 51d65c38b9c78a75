import type { Receipt } from '#core/countersignature.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { SessionMemory } from '#core/ports/whatsapp.ts'
import type { Report } from '#core/report.ts'
import { type SendMessageAction, whoOf } from '#core/whatsapp-action.ts'
import { type ChatRule, isChatAllowed } from '#core/whatsapp-chat.ts'
import { nextSendAt, type Pacing } from '#core/whatsapp-message.ts'
import type { SessionKeeper } from './keep-session.ts'

export interface SendDeps {
  readonly keeper: Pick<SessionKeeper, 'client' | 'status'>
  readonly memory: Pick<SessionMemory, 'unsent' | 'became' | 'sentAt'>
  readonly pacing: Pacing
  readonly chats: ChatRule
  readonly clock: Clock
}

/** Sends the message of a receipt that was just used up, and writes down which one it became. */
export async function sendOnce(
  action: SendMessageAction,
  { key, receipt }: { readonly key: string; readonly receipt: Receipt },
  { keeper, memory, chats, clock, pacing }: SendDeps,
): Promise<Report> {
  const refuse = (code: 'ERR_WHATSAPP_REFUSED' | 'ERR_WHATSAPP_UNREACHABLE', reason: string): Report => {
    memory.unsent(receipt.nonce)
    return { outcome: 'refused', code, reason }
  }
  if (!isChatAllowed({ id: action.chat, number: action.number }, chats))
    return refuse('ERR_WHATSAPP_REFUSED', `${whoOf(action)} is none of the chats that are answered here`)
  const now = clock.now()
  const next = nextSendAt(memory.sentAt(now, receipt.nonce), pacing, now)
  if (next > now)
    return refuse('ERR_WHATSAPP_UNREACHABLE', `no more for now: the next one after ${new Date(next).toISOString()}`)
  const client = keeper.client()
  if (!client) return refuse('ERR_WHATSAPP_UNREACHABLE', keeper.status().say)
  const outcome = await client.send({ chat: action.chat, number: action.number, text: action.body })
  switch (outcome.kind) {
    case 'accepted':
      memory.became(receipt.nonce, outcome.id)
      return { outcome: 'accepted', key, answer: `WhatsApp has it: message ${outcome.id}`, missed: [] }
    case 'refused':
      return refuse('ERR_WHATSAPP_REFUSED', `WhatsApp: ${outcome.say}`)
    case 'unknown':
      if (outcome.id !== undefined) memory.became(receipt.nonce, outcome.id)
      return { outcome: 'unknown', key, code: 'ERR_OUTCOME_UNKNOWN', reason: `WhatsApp: ${outcome.reason}` }
  }
}
