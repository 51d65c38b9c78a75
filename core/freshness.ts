import { minuteOf } from './minute.ts'
import type { ThreadMessage } from './ports/mail.ts'
import { oneLine } from './quote.ts'
import type { FrontMatter } from './task-file.ts'

/** Why a reply went back before the person: these rules say that they were told what else stands in the thread. */
export const THREAD_RULES = { answered: 'thread-answered', newer: 'thread-newer' } as const

/** Until when the person was told what else had come (ms). Believed only of a task whose words are ours. */
export function toldUntil(front: Pick<FrontMatter, 'outcome'>): number | undefined {
  const { outcome } = front
  const wasTold = Object.values<string>(THREAD_RULES).includes(outcome?.status ?? '')
  return wasTold && outcome?.at !== undefined ? Date.parse(outcome.at) : undefined
}

export interface ThreadFacts {
  /** The message that the draft answers. */
  readonly answers: string
  /** When it was received, as the task says, ms; used when the mailbox does not show it any more. */
  readonly receivedAt?: number | undefined
  /** Messages that the draft answers as well: they stand in the original. */
  readonly holds?: (messageId: string) => boolean
  /** Until when the person was told what else had come (ms): they approved knowing that. */
  readonly toldUntil?: number | undefined
  /** The Message-ID of the mail that is about to be sent. */
  readonly ownId: string
  /** The address the mail is sent from. */
  readonly account: string
  /** The thread as the mailbox shows it now. */
  readonly messages: readonly ThreadMessage[]
}

export type Freshness =
  | { readonly kind: 'fresh' }
  /** The very mail that is about to be sent stands in the mailbox. */
  | { readonly kind: 'sent' }
  | { readonly kind: 'answered' | 'newer'; readonly say: string }

/**
 * Whether a reply still answers what stands at the end of its thread. Not when the person has answered by hand, and not
 * when somebody wrote again after the mail that the draft was made from.
 */
export function judgeThread(facts: ThreadFacts): Freshness {
  const { messages, ownId } = facts
  if (messages.some((one) => one.ownId === ownId || one.messageId === ownId)) return { kind: 'sent' }
  const news = messages.filter((one) => isNews(one, facts)).toSorted((a, b) => b.at - a.at)
  const byHand = news.find((one) => isOwn(one, facts) && !isOtherTask(one.ownId, ownId))
  if (byHand)
    return {
      kind: 'answered',
      say: `You answered this thread yourself at ${minuteOf(byHand.at)}, so this reply was not sent. Approve it again to send it all the same.`,
    }
  const newer = news.find((one) => !isOwn(one, facts))
  if (newer)
    return {
      kind: 'newer',
      say: `${oneLine(newer.from, 254) || 'Somebody'} wrote again in this thread at ${minuteOf(newer.at)}, after the mail that this draft answers. Read that first; then approve again to send the draft as it stands, or tick Redraft.`,
    }
  return { kind: 'fresh' }
}

/** What refers to the answered message came after it, whatever the clocks say; the rest of the thread by its time. */
function isNews(message: ThreadMessage, { answers, holds, receivedAt, toldUntil, messages }: ThreadFacts): boolean {
  if (message.messageId === answers || holds?.(message.messageId)) return false
  if (toldUntil !== undefined && message.at <= toldUntil) return false
  const shown = messages.filter((one) => one.messageId === answers && one.folder === 'inbox').map((one) => one.at)
  const since = shown.length > 0 ? Math.min(...shown) : receivedAt
  return message.refersTo.includes(answers) || (since !== undefined && message.at > since)
}

function isOwn(message: ThreadMessage, { account }: ThreadFacts): boolean {
  return message.folder === 'sent' || message.from.toLowerCase() === account.toLowerCase()
}

/** The person approved that reply, too. An earlier attempt of the same task is none of another. */
function isOtherTask(ownId: string | undefined, thisId: string): boolean {
  return ownId !== undefined && ownId.split('.')[0] !== thisId.split('.')[0]
}
