import { type Action, parseAction } from '#core/action.ts'
import type { Receipt } from '#core/countersignature.ts'
import type { EmailAction } from '#core/email-action.ts'
import { CountersignError, isAway } from '#core/errors.ts'
import { judgeThread, THREAD_RULES, toldUntil } from '#core/freshness.ts'
import { quotes } from '#core/join-message.ts'
import type { Channel, Prospect, World } from '#core/ports/channel.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Intent } from '#core/ports/journal.ts'
import type { LookAtThread, MailSender, OutgoingMail, SentMail } from '#core/ports/mail.ts'
import type { Log } from '#runtime/logger.ts'
import { type Patience, patience } from './patience.ts'
import { watchSender } from './sender-watch.ts'

export interface EmailParts {
  readonly sender: MailSender
  readonly sentFolder: SentMail
  readonly lookAtThread: LookAtThread
  readonly clock: Clock
  readonly log: Log
  /**
   * The bytes of the message, the same for the same input: what was sent is made again for Sent. Throws
   * ERR_ATTACHMENT_CHANGED.
   */
  compose(action: Action, message: { messageId: string; sentAt: number }): Promise<OutgoingMail>
  sendEmail(action: Action, receipt: Receipt): Promise<unknown>
}

/** Mail: sent by the tool `send_email`, looked up in Sent by its Message-ID, which derives from the task's id. */
export function emailChannel(parts: EmailParts): Channel {
  const { log } = parts
  const mailbox = patience(parts.clock)
  const sender = watchSender(
    () => parts.sender.verify(),
    parts.clock,
    (state, error) => (state === true ? log.info({}, 'the mail server is back') : log.warn({ err: error }, state)),
  )
  return {
    name: 'email',
    problems: () => [...new Set([sender.state(), mailbox.state()])].filter((state) => state !== true),
    isReady: () => sender.isReady(),
    keyOf({ taskId, generation }, action) {
      const account = action.tool === 'email.send_email' ? action.account : ''
      return `<${taskId}.${generation}@${account.slice(account.lastIndexOf('@') + 1)}>`
    },
    lookAtTheWorld: (prospect) => lookAtTheWorld(prospect, mailbox, parts),
    act: (action, receipt) => parts.sendEmail(action, receipt),
    lookUp: async ({ key, intendedAt }) =>
      (await mailbox.call(() => parts.sentFolder.has(key, intendedAt)))
        ? { kind: 'done', answer: 'found in Sent' }
        : { kind: 'not-found' },
    settle: (intent) => fileCopy(intent, mailbox, parts),
    sayWhereToLook: ({ key }) =>
      `It is not in Sent (Message-ID ${key}). Ask the recipient, or look at the mail server’s log.`,
  }
}

/** The copy in Sent, which SMTP does not file. Providers that file it themselves are noticed. */
async function fileCopy({ action, key, intendedAt }: Intent, mailbox: Patience, parts: EmailParts): Promise<void> {
  if (action === undefined || (await mailbox.call(() => parts.sentFolder.has(key, intendedAt)))) return
  try {
    const mail = await parts.compose(parseAction(action), { messageId: key, sentAt: intendedAt })
    await mailbox.call(() => parts.sentFolder.append(mail.raw, intendedAt))
  } catch (error) {
    if (!isChangedFile(error)) throw error
    parts.log.warn({ err: error }, 'no copy was filed in Sent: a file that was sent is not there any more')
  }
}

/**
 * Whether the files are still those that were approved, and whether the reply still answers its thread. Both are looked
 * at so that the one use is not spent in vain; the files are checked again when they are sent.
 */
async function lookAtTheWorld(prospect: Prospect, mailbox: Patience, parts: EmailParts): Promise<World> {
  const { action, key, isOld, task } = prospect
  try {
    if (action.tool !== 'email.send_email') return { kind: 'clear' }
    if (action.attachments) await parts.compose(action, { messageId: key, sentAt: parts.clock.now() })
    // A journal that was made anew may have forgotten it.
    if (isOld && (await mailbox.call(() => parts.sentFolder.has(key, Date.parse(task.front.created)))))
      return ALREADY_SENT
    return await lookAtThread(prospect, action, mailbox, parts)
  } catch (error) {
    if (isChangedFile(error)) return { kind: 'stale', rule: 'attachment-changed', say: `${error.message}.` }
    if (!isAway(error)) throw error
    const why = isOld
      ? 'It may have been sent before, so Sent must be looked at first, and cannot be'
      : 'Whether somebody wrote again in the thread must be looked at first, and cannot be'
    return { kind: 'cannot-tell', say: `${why}: ${error.message}. ${error.hint}` }
  }
}

async function lookAtThread(
  { task, key }: Prospect,
  action: EmailAction,
  mailbox: Patience,
  parts: EmailParts,
): Promise<World> {
  const answers = action.in_reply_to ?? action.references.at(-1)
  if (answers === undefined) return { kind: 'clear' }
  const received = task.front.source?.received
  const receivedAt = received === undefined ? undefined : Date.parse(received)
  // The thread is named by its first mail and by the answered one; what stands between refers to the first.
  const ids = [...new Set([answers, ...action.references.slice(0, 1)])]
  const since = receivedAt === undefined ? {} : { since: receivedAt }
  const messages = await mailbox.call(() => parts.lookAtThread({ ids, ...since }))
  const judged = judgeThread({
    ...{ answers, receivedAt, toldUntil: toldUntil(task.front), ownId: key, account: action.account, messages },
    holds: (messageId) => quotes(task, messageId),
  })
  if (judged.kind === 'fresh') return { kind: 'clear' }
  return judged.kind === 'sent' ? ALREADY_SENT : { kind: 'stale', rule: THREAD_RULES[judged.kind], say: judged.say }
}

function isChangedFile(error: unknown): error is CountersignError {
  return error instanceof CountersignError && error.code === 'ERR_ATTACHMENT_CHANGED'
}

const ALREADY_SENT = {
  kind: 'stale',
  rule: 'already-sent',
  say: 'A mail for this task stands in Sent already, and nothing is done twice. Make a new task for a new mail.',
} as const
