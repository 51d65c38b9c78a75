import { type Action, parseAction } from '#core/action.ts'
import type { Receipt } from '#core/countersignature.ts'
import { CountersignError, isAway } from '#core/errors.ts'
import { toldUntil } from '#core/freshness.ts'
import type { Channel, Prospect, World } from '#core/ports/channel.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Intent } from '#core/ports/journal.ts'
import type { WhatsAppPort } from '#core/ports/whatsapp.ts'
import { type SendMessageAction, whoOf } from '#core/whatsapp-action.ts'
import { findSent } from '#core/whatsapp-message.ts'
import { judgeChat } from '#core/whatsapp-news.ts'
import type { Log } from '#runtime/logger.ts'
import { watchSender } from './sender-watch.ts'

export interface WhatsAppParts {
  readonly whatsapp: Pick<WhatsAppPort, 'status' | 'messagesOf'>
  readonly clock: Clock
  readonly log: Log
  /** Calls `send_message`. */
  call(action: Action, receipt: Receipt): Promise<unknown>
}

/** A message that stands in the page is sent by WhatsApp itself once it can; so long it may yet go (ms). */
const MAY_YET_GO_MS = 10 * 60_000

/** WhatsApp, through the service that holds its session. What became of a message is looked up in its chat. */
export function whatsappChannel({ whatsapp, clock, log, call }: WhatsAppParts): Channel {
  const verify = async () => {
    const { state, say } = await whatsapp.status()
    if (state !== 'ready') throw new CountersignError('ERR_WHATSAPP_UNREACHABLE', say.replace(/\.$/, ''))
  }
  const watch = watchSender(verify, clock, (state, error) =>
    state === true ? log.info({}, 'WhatsApp is back') : log.warn({ err: error }, state),
  )
  return {
    name: 'whatsapp',
    problems: () => [watch.state()].filter((state) => state !== true),
    isReady: () => watch.isReady(),
    keyOf: ({ taskId, generation }) => `${taskId}.${generation}`,
    lookAtTheWorld: (prospect) => lookAtChat(prospect, whatsapp, clock),
    act: call,
    async lookUp({ taskId, action, intendedAt }) {
      if (action === undefined) return { kind: 'not-found' }
      const { chat, body } = requireMessage(parseAction(action))
      const found = findSent(await whatsapp.messagesOf(chat), { task: taskId, body, since: intendedAt })
      if (!found) return { kind: 'not-found' }
      if ((found.ack ?? 0) >= 1) return { kind: 'done', answer: `found in the chat: message ${found.id}` }
      if (found.ack !== -1 && clock.now() < intendedAt + MAY_YET_GO_MS)
        throw new CountersignError('ERR_WHATSAPP_UNREACHABLE', 'the message stands in the chat, and has not left yet')
      return { kind: 'not-found' }
    },
    async settle() {},
    sayWhereToLook({ action }: Intent) {
      const who = action === undefined ? 'it' : whoOf(requireMessage(parseAction(action)))
      return `WhatsApp has not confirmed it. Look at the chat with ${who} on your telephone: a clock beside the message means that it has not left.`
    },
  }
}

async function lookAtChat(
  { task, action, isOld }: Prospect,
  whatsapp: WhatsAppParts['whatsapp'],
  clock: Clock,
): Promise<World> {
  const message = requireMessage(action)
  try {
    const { next_send_at } = await whatsapp.status()
    if (next_send_at > clock.now())
      return {
        kind: 'cannot-tell',
        say: `It waits until ${new Date(next_send_at).toISOString()}: no faster than a person writes.`,
      }
    const messages = await whatsapp.messagesOf(message.chat)
    const sought = { task: task.front.id, body: message.body, since: Date.parse(task.front.created) }
    // A journal that was made anew may have forgotten it.
    if (isOld && findSent(messages, sought)) return ALREADY_SENT
    const verdict = judgeChat({ task, messages, toldUntil: toldUntil(task.front) })
    return verdict.kind === 'fresh' ? { kind: 'clear' } : verdict
  } catch (error) {
    if (!isAway(error)) throw error
    return {
      kind: 'cannot-tell',
      say: `The chat must be looked at first, and cannot be: ${error.message}. ${error.hint}`,
    }
  }
}

const ALREADY_SENT = {
  kind: 'stale',
  rule: 'already-sent',
  say: 'This message stands in the chat already, and nothing is done twice. Make a new task for a new message.',
} as const

function requireMessage(action: Action): SendMessageAction {
  if (action.tool !== 'whatsapp.send_message')
    throw new CountersignError('ERR_TASK_FILE_INVALID', `${action.tool} is no WhatsApp message`)
  return action
}
