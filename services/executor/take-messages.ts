import { CountersignError } from '#core/errors.ts'
import { holdsMessage } from '#core/join-message.ts'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import type { WhatsAppPort } from '#core/ports/whatsapp.ts'
import { parseTaskFile, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { taskPath } from '#core/vault-path.ts'
import { type ChatMessage, messageKey } from '#core/whatsapp-message.ts'
import { chatMark, holdsSome } from '#core/whatsapp-news.ts'
import { chatTask, newestStates } from '#core/whatsapp-task.ts'
import type { ExecutorDeps } from './deps.ts'

export interface TakeMessagesDeps
  extends Pick<ExecutorDeps, 'vault' | 'ledger' | 'clock' | 'log' | 'metrics' | 'agent'> {
  readonly whatsapp: Pick<WhatsAppPort, 'status' | 'changesAfter'>
  /** Which messages became part of a task, and up to which position all did. */
  readonly seen: SeenMail
  /** People write several short messages for one: so long a chat must have been quiet (ms) … */
  readonly quietMs: number
  /** … unless it has waited this long (ms). */
  readonly maxWaitMs: number
}

const SOURCE = 'whatsapp'

interface Change {
  readonly position: number
  readonly message: ChatMessage
}

/**
 * Makes tasks of the messages that the WhatsApp service took in: one open task for each chat. What comes for a chat whose
 * task is open, and what was edited or deleted there, waits as a file of its own and is put into it as mails are. The
 * order is file, ledger, memory; after a crash the file is found by the id that derives from the first message.
 */
export function messageTaker(deps: TakeMessagesDeps): () => Promise<void> {
  let waiting: Change[] = []
  let fetched = { epoch: '', position: 0 }
  const firstSeen = new Map<string, number>()
  return async () => {
    const { epoch, newest, own = 'unknown' } = await deps.whatsapp.status()
    if (fetched.epoch !== epoch) {
      fetched = { epoch, position: Number(deps.seen.highWater(SOURCE, epoch) ?? 0) }
      waiting = []
    }
    while (fetched.position < newest) {
      const batch = await deps.whatsapp.changesAfter(fetched.position)
      if (batch.length === 0) break
      waiting.push(...batch.filter(({ message }) => !deps.seen.has(messageKey(message))))
      fetched = { epoch, position: batch.at(-1)?.position ?? newest }
    }
    const now = deps.clock.now()
    for (const [chat, changes] of Map.groupBy(waiting, ({ message }) => message.chat)) {
      if (!firstSeen.has(chat)) firstSeen.set(chat, now)
      const newestAt = Math.max(...changes.map(({ message }) => message.at))
      if (now - newestAt < deps.quietMs && now - (firstSeen.get(chat) ?? now) < deps.maxWaitMs) continue
      await takeChat(
        changes.map(({ message }) => message),
        own,
        deps,
      )
      firstSeen.delete(chat)
      waiting = waiting.filter(({ message }) => message.chat !== chat)
    }
    const all = Math.min(fetched.position, ...waiting.map(({ position }) => position - 1))
    deps.seen.raiseHighWater(SOURCE, { epoch, mark: String(all) }, now)
  }
}

async function takeChat(changes: readonly ChatMessage[], own: string, deps: TakeMessagesDeps): Promise<void> {
  const open = await openTasks(changes[0]?.chat ?? '', deps)
  const isHeld = (message: ChatMessage) => open.some((task) => holdsMessage(task, chatMark(message)))
  const knows = (message: ChatMessage) => open.some((task) => holdsSome(task, message))
  // What was changed or deleted counts where its first form is before the person; of what is over it changes nothing.
  const news = newestStates(changes).filter(
    (one) => !isHeld(one) && (one.state === 'whole' || knows(one) || (one.state === 'edited' && !wasTaken(one, deps))),
  )
  const [first, ...others] = news
  const target = open.find(({ front }) => front.joins === undefined)
  if (first) await create([first, ...others], target, own, deps)
  for (const message of changes) deps.seen.add(messageKey(message), { at: deps.clock.now() })
}

/** Whether its first form became part of a task, which is over by now. */
function wasTaken(message: ChatMessage, { seen }: TakeMessagesDeps): boolean {
  return seen.has(messageKey({ ...message, state: 'whole' }))
}

async function create(
  messages: readonly [ChatMessage, ...ChatMessage[]],
  target: TaskFile | undefined,
  own: string,
  deps: TakeMessagesDeps,
): Promise<void> {
  const joins = target?.front.id
  const { id, fileName, task } = chatTask(messages, { agent: deps.agent, own, ...(joins && { joins }) })
  const standing = await deps.vault.find(fileName)
  if (standing === undefined)
    await deps.vault.create(taskPath({ kind: 'needs-action', domain: 'whatsapp' }, fileName), renderTaskFile(task))
  await deps.ledger.append(joins === undefined ? 'task.created' : 'task.joined', {
    task: joins ?? id,
    data: {
      domain: 'whatsapp',
      from: 'whatsapp',
      message: `sha256:${messageKey(messages[0])}`,
      count: messages.length,
    },
  })
  if (joins === undefined) deps.metrics.count('countersign_tasks_total', { outcome: 'created' })
  deps.log.info({ task: joins ?? id, count: messages.length }, 'WhatsApp messages became part of a task')
}

/** The tasks of a chat that are not over, with the files that wait to join them. */
async function openTasks(chat: string, { vault }: TakeMessagesDeps): Promise<TaskFile[]> {
  const found: TaskFile[] = []
  for (const folder of (await vault.taskFolders()).filter((one) => !/^(?:Done|Rejected)\b/.test(one))) {
    for (const path of await vault.list(folder)) {
      const text = await vault.read(path).catch((error: unknown) => {
        if (error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE') return undefined
        throw error
      })
      const parsed = text === undefined ? undefined : parseTaskFile(text)
      const source = parsed?.ok ? parsed.task.front.source : undefined
      if (parsed?.ok && source?.provider === SOURCE && source.thread_id === chat) found.push(parsed.task)
    }
  }
  return found
}
