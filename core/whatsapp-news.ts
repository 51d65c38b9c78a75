import { THREAD_RULES } from './freshness.ts'
import { holdsMessage, messageMark } from './join-message.ts'
import { minuteOf } from './minute.ts'
import { oneLine } from './quote.ts'
import type { TaskFile } from './task-file.ts'
import { type ChatMessage, isWritten, messageKey } from './whatsapp-message.ts'

export type ChatVerdict =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'stale'; readonly rule: string; readonly say: string }

export interface ChatFacts {
  readonly task: TaskFile
  /** The chat as it stands now. */
  readonly messages: readonly ChatMessage[]
  /** Until when the person was told what else had come (ms): they approved knowing that. */
  readonly toldUntil?: number | undefined
}

/** How a message, as it is now, is named among those of its task. */
export function chatMark(message: ChatMessage): string {
  return messageMark(new Date(message.at).toISOString(), messageKey(message))
}

/** Whether a task holds this message in whatever state it was: told by its time, to the second, within its chat. */
export function holdsSome({ front }: TaskFile, { at }: ChatMessage): boolean {
  const time = new Date(at).toISOString()
  return (front.source?.messages ?? []).some((mark) => mark.startsWith(`${time} `))
}

/**
 * Whether a reply still answers what stands in its chat: not when somebody wrote again, changed or deleted what it answers,
 * and not when the owner has answered by hand.
 */
export function judgeChat({ task, messages, toldUntil = Number.NEGATIVE_INFINITY }: ChatFacts): ChatVerdict {
  const held = (task.front.source?.messages ?? []).map((mark) => Date.parse(mark.split(' ')[0] ?? ''))
  if (held.length === 0) return { kind: 'fresh' }
  const [oldest, newest] = [Math.min(...held), Math.max(...held)]
  const written = messages.filter(isWritten)
  const unknown = written.filter((one) => !one.from_me && one.at >= oldest && !holdsMessage(task, chatMark(one)))
  const changed = unknown.find((one) => one.state !== 'whole' && holdsSome(task, one))
  if (changed) {
    const did = changed.state === 'deleted' ? 'deleted' : 'changed'
    return stale(
      THREAD_RULES.newer,
      `${nameOf(changed)} ${did} a message of ${minuteOf(changed.at)} after this draft was made. Read the chat first; the draft is made anew.`,
    )
  }
  // One that was deleted before anybody here saw it is nobody's.
  const again = unknown.findLast((one) => one.state !== 'deleted' && one.at > toldUntil)
  if (again)
    return stale(
      THREAD_RULES.newer,
      `${nameOf(again)} wrote again at ${minuteOf(again.at)}, after the message that this draft answers. Read that first; then approve again to send the draft as it stands, or tick Redraft.`,
    )
  const byHand = written.find((one) => one.from_me && one.task === undefined && one.at > Math.max(newest, toldUntil))
  if (byHand)
    return stale(
      THREAD_RULES.answered,
      `You answered in this chat yourself at ${minuteOf(byHand.at)}, so this reply was not sent. Approve it again to send it all the same.`,
    )
  return { kind: 'fresh' }
}

function stale(rule: string, say: string): ChatVerdict {
  return { kind: 'stale', rule, say }
}

function nameOf({ name, number }: ChatMessage): string {
  return oneLine(name ?? number ?? 'Somebody', 120) || 'Somebody'
}
