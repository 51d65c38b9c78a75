import { shownSize } from './attachment.ts'
import { makeTaskId, type TaskId } from './ids.ts'
import { maskSecrets } from './mask-mail.ts'
import { minuteOf } from './minute.ts'
import { oneLine, plainMarkdown } from './quote.ts'
import { newTaskFile, renderSection, type TaskFile } from './task-file.ts'
import { renderMessages, withoutSign } from './thread-text.ts'
import { taskFileName } from './vault-path.ts'
import { chatKind } from './whatsapp-chat.ts'
import { type ChatMessage, type Media, messageKey } from './whatsapp-message.ts'
import { chatMark } from './whatsapp-news.ts'

/** A task file that messages of one chat become, or that brings them to the open task of their chat. */
export interface ChatTask {
  readonly id: TaskId
  readonly fileName: string
  readonly task: TaskFile
}

export interface ChatTaskFacts {
  /** The agent that may claim it. */
  readonly agent: string
  /** The number of the linked telephone. */
  readonly own: string
  /** The open task of their chat, when there is one. */
  readonly joins?: TaskId | undefined
}

const MAX_TITLE = 200

/**
 * The task of some messages of one chat, oldest first, at least one. All of it derives from the messages, so that making it
 * again gives the same file. Throws ERR_TASK_FILE_INVALID when it cannot be written as one.
 */
export function chatTask(messages: readonly [ChatMessage, ...ChatMessage[]], facts: ChatTaskFacts): ChatTask {
  const [first] = messages
  const newest = messages.at(-1) ?? first
  const id = chatTaskId(first)
  const received = new Date(newest.at).toISOString()
  const name = nameOf(newest)
  const who = whoOf(newest)
  const title = oneLine(`WhatsApp from ${who}`, MAX_TITLE)
  const task = newTaskFile(
    {
      ...{ id, schema: '1', kind: 'WHATSAPP', domain: 'whatsapp', title, created: new Date(first.at).toISOString() },
      source: {
        provider: 'whatsapp',
        account: facts.own,
        message_id: newest.id,
        thread_id: first.chat,
        from: oneLine(who, 200),
        received,
        messages: messages.map(chatMark),
        ...(newest.number !== undefined && { number: newest.number }),
        ...(name !== '' && { name }),
      },
      risk: risksOf(messages),
      generation: '0',
      history: [],
      for: facts.agent,
      ...(facts.joins !== undefined && { joins: facts.joins }),
    },
    [
      '',
      `# ${plainMarkdown(title, MAX_TITLE)}`,
      '',
      `On WhatsApp, received ${minuteOf(received)}. This note stays on this machine.`,
      '',
      renderSection('original', renderMessages(messages.map(textOf), 0)),
      '',
    ].join('\n'),
  )
  // Not of their name, which they may change between two tries.
  const named = `whatsapp ${first.number ?? first.chat.split('@')[0]}`
  return {
    id,
    fileName: taskFileName({ kind: 'WHATSAPP', dayIso: task.front.created.slice(0, 10), title: named, id }),
    task,
  }
}

export function chatTaskId(first: ChatMessage): TaskId {
  return makeTaskId(first.at, Buffer.from(messageKey(first), 'hex'))
}

/** Of each message what it is now, in the order in which they were written; those that were deleted unseen are nobody's. */
export function newestStates(changes: readonly ChatMessage[]): ChatMessage[] {
  const byId = new Map<string, ChatMessage>()
  for (const one of changes) byId.set(one.id, one)
  return [...byId.values()].toSorted((a, b) => a.at - b.at)
}

function textOf(message: ChatMessage): string {
  const body = message.state === 'deleted' ? '' : maskSecrets(message.body).text.trim()
  const head = [
    `From: ${whoOf(message)}`,
    `Received: ${minuteOf(message.at)}`,
    ...(message.state === 'edited' ? ['Note: they changed it after they had sent it'] : []),
    ...(message.state === 'deleted' ? ['Note: they deleted this message'] : []),
    ...(message.type === 'chat' || message.media || message.state === 'deleted'
      ? []
      : [`Kind: ${oneLine(message.type, 40)}`]),
    ...(message.media ? [mediaLine(message.media)] : []),
  ]
  return withoutSign([...head, '', body].join('\n').trimEnd())
}

function mediaLine({ type, size, name, sha256, missing }: Media): string {
  const what = `${oneLine(maskSecrets(name ?? '').text, 120) || 'unnamed'} (${oneLine(type, 80)}, ${shownSize(size)})`
  const where =
    sha256 === undefined ? `not kept here: ${missing ?? 'unknown'}` : `kept on this machine as whatsapp/media/${sha256}`
  return `Attachment: ${what}, ${where}`
}

function risksOf(messages: readonly ChatMessage[]): string[] {
  const any = (is: (message: ChatMessage) => boolean) => messages.some(is)
  return [
    ...(any(({ chat }) => chatKind(chat) === 'group') ? ['whatsapp-group'] : []),
    ...(any(({ chat, number }) => chatKind(chat) === 'hidden' && number === undefined)
      ? ['whatsapp-number-hidden']
      : []),
    ...(any(({ is_contact }) => is_contact === false) ? ['whatsapp-no-contact'] : []),
    ...(any(({ media }) => media !== undefined && media.sha256 === undefined) ? ['attachment-not-kept'] : []),
  ]
}

/** The number, which is known, and the name, which they chose. */
function whoOf(message: ChatMessage): string {
  const name = nameOf(message)
  const number = message.number ?? (message.author !== undefined ? message.author.split('@')[0] : undefined)
  return [name, number ?? message.chat].filter((one) => one !== '').join(', ')
}

function nameOf({ name = '' }: ChatMessage): string {
  return oneLine(maskSecrets(name).text.replace(/["<>]/g, ' '), 80)
}
