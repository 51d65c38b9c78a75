import { addressesIn } from './handbook-contacts.ts'
import { sameAddress } from './look-alike.ts'
import { mailKey } from './mail.ts'
import { threadOf } from './risk-thread.ts'
import { section, type TaskFile, withFront, withSection } from './task-file.ts'
import { fitting, isApart, messagesIn, renderMessages, setApart } from './thread-text.ts'

/** Of a thread, so much of the newest stands in its task: a file stays small, however long its thread grows. */
const MAX_MESSAGES = 50
const MAX_CHARS = 40_000
const MAX_RISKS = 50
/** Of messages that are not shown any more, it is known for so long that they stood there. */
const MAX_MARKS = 100
/** Of a key, enough that no two are the same by chance or by design. */
const DIGITS = 16
const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const

type Source = NonNullable<TaskFile['front']['source']>

/** How a message is named among those of its task: when it was received, and the first digits of its key (`mailKey`). */
export function messageMark(receivedIso: string, key: string): string {
  return `${receivedIso} ${key.slice(0, DIGITS)}`
}

/** Whether a task holds this message, or held it and left it out since: what is older than all that it knows was cut. */
export function holdsMessage(task: TaskFile, mark: string): boolean {
  const { messages = [], left_out } = task.front.source ?? {}
  const isListed = messages.some((one) => digitsOf(one) === digitsOf(mark))
  const isCut = Number(left_out ?? 0) > 0 && messages.length >= MAX_MARKS
  return isListed || (isCut && timeOf(mark) < timeOf(messages[0] ?? ''))
}

/** Whether a task quotes the message of this Message-ID. It came through the cloud, as does what it is asked about. */
export function quotes({ front }: TaskFile, messageId: string): boolean {
  const { account, messages = [] } = front.source ?? {}
  const digits = account === undefined ? '' : mailKey(account, { messageId, digest: '' }).slice(0, DIGITS)
  return messages.some((one) => digitsOf(one) === digits)
}

/**
 * The task with what another task file says put to the end of its thread; undefined when it stands there already. Id,
 * title and name stay. The reply goes to whoever wrote last and was part of the thread: somebody else is quoted and
 * flagged, and never becomes the one who is answered. Throws ERR_TASK_FILE_INVALID when the file has no room.
 */
export function withMessage(target: TaskFile, message: TaskFile): TaskFile | undefined {
  const theirs = message.front.source?.messages ?? []
  if (theirs.length === 0 || theirs.every((mark) => holdsMessage(target, mark))) return undefined
  const isStranger = isFromStranger(target, message)
  const isAnswered = isReferredTo(target, message)
  const before = messagesIn(section(target, 'original') ?? '')
  const quoted = messagesIn(section(message, 'original') ?? '')
  const added = isStranger ? quoted.map(setApart) : quoted
  const was = target.front.source?.messages ?? []
  // What the newest refers to came before it, however late it was received.
  const all = isAnswered ? put(before, added) : [...before, ...added]
  const marks = isAnswered ? put(was, theirs) : [...was, ...theirs]
  const shown = shownOf(all)
  const leftOut = Number(target.front.source?.left_out ?? 0) + all.length - shown.length
  const source: Source = {
    ...(target.front.source ?? message.front.source ?? { provider: 'imap' }),
    ...(!isStranger && !isAnswered && newest(message.front.source)),
    messages: marks.slice(-MAX_MARKS),
    ...(leftOut > 0 && { left_out: String(leftOut) }),
  }
  const risk = new Set([
    ...target.front.risk,
    ...message.front.risk,
    ...(isStranger ? ['sender-not-in-thread'] : []),
    ...(hasOtherSubject(target, message) ? ['subject-changed'] : []),
  ])
  const front = withFront(target, {
    source,
    risk: [...risk].slice(0, MAX_RISKS),
    priority: higher(target.front.priority, message.front.priority),
    language: (isStranger ? undefined : message.front.language) ?? target.front.language,
  })
  return withSection(front, 'original', renderMessages(shown, leftOut))
}

/** Those who were not part of the thread get the room that its own messages leave, or of them the newest: they push nobody out. */
function shownOf(all: readonly string[]): string[] {
  const own = fitting(
    all.filter((one) => !isApart(one)),
    MAX_CHARS,
    MAX_MESSAGES,
  )
  const room = MAX_CHARS - own.reduce((sum, { length }) => sum + length, 0)
  const apart = fitting(all.filter(isApart), room, Math.max(MAX_MESSAGES - own.length, 1))
  const shown = new Set([...own, ...apart])
  return all.filter((one) => shown.has(one))
}

/** What a reply is made of. */
function newest(source: TaskFile['front']['source']): Partial<Source> {
  const { message_id, from, reply_to, received, subject, references } = source ?? {}
  return { message_id, from, reply_to, received, subject, references }
}

function isFromStranger(target: TaskFile, message: TaskFile): boolean {
  // Whoever writes in a chat is part of it.
  if (isSameChat(target, message)) return false
  const from = addressesIn(message.front.source?.from ?? '').at(-1)
  const known = new Set([...threadOf(target).addresses, target.front.source?.account ?? ''].map(sameAddress))
  return from === undefined || !known.has(sameAddress(from))
}

function isSameChat(target: TaskFile, message: TaskFile): boolean {
  const [was, is] = [target.front.source, message.front.source]
  return was?.provider === 'whatsapp' && is?.provider === 'whatsapp' && was.thread_id === is.thread_id
}

function isReferredTo(target: TaskFile, { front }: TaskFile): boolean {
  const id = front.source?.message_id
  return id !== undefined && (target.front.source?.references ?? []).includes(id)
}

function hasOtherSubject(target: TaskFile, message: TaskFile): boolean {
  const [was, is] = [target, message].map(({ front }) => subjectCore(front.source?.subject ?? ''))
  return was !== '' && is !== '' && was !== is
}

/** Without the marks of replies and forwards, in any case. */
function subjectCore(subject: string): string {
  const marks = /^\s*(?:(?:re|aw|sv|vs|antw|ynt|rif|odp|fwd?|wg|tr|rv|enc)\s*(?:\[\d+\])?\s*:\s*)+/i
  return subject.replace(marks, '').replace(/\s+/g, ' ').trim().toLowerCase()
}

function put<T>(list: readonly T[], more: readonly T[]): T[] {
  return [...list.slice(0, -1), ...more, ...list.slice(-1)]
}

function higher(a: TaskFile['front']['priority'], b: TaskFile['front']['priority']): TaskFile['front']['priority'] {
  const rank = (one: typeof a) => (one === undefined ? -1 : PRIORITIES.indexOf(one))
  return rank(a) >= rank(b) ? a : b
}

function digitsOf(mark: string): string {
  return mark.split(' ').at(-1) ?? ''
}

function timeOf(mark: string): number {
  const at = Date.parse(mark.split(' ')[0] ?? '')
  return Number.isNaN(at) ? 0 : at
}
