import { setTimeout as delay } from 'node:timers/promises'
import { CountersignError } from '#core/errors.ts'
import type { MailHandlers, MailPosition, MailSource } from '#core/ports/mail.ts'
import { GMAIL_TIMINGS, type GmailAccount, type GmailReader, type GmailTimings, gmailReaders } from './gmail-client.ts'
import { answerOf, gmailFault } from './gmail-faults.ts'
import { type Arrival, arrivalsAfter, arrivalsSince } from './gmail-history.ts'
import { fetchGmail, isReport } from './gmail-message.ts'
import { type GmailPush, listenForPush } from './gmail-push.ts'

export interface GmailSourceOptions {
  readonly pollMs: number
  readonly timings?: GmailTimings
  readonly firstRetryMs?: number
  readonly maxRetryMs?: number
  /** Rings between the looks; without it there are only those. */
  readonly push?: GmailPush
  /** Only reports of mail systems about what became of a mail are fetched and handed over. */
  readonly onlyReports?: boolean
}

/** History ids of a mailbox have one order for ever. */
const EPOCH = 'history'
/** However long the server wants to be left alone: a mailbox that is not looked at for longer looks like a program that hangs. */
const MAX_RETRY_AFTER_MS = 600_000
/** Gmail announces for seven days after it was asked to. */
const ASK_FOR_PUSH_EVERY_MS = 86_400_000
const ASK_FOR_PUSH_AGAIN_MS = 600_000

/**
 * Watches the inbox of a Gmail account by asking for its history; nothing in the mailbox changes. After a failure it is
 * asked again after 1 s … 2 min (a random part of it, so that many do not come at once), or when the server says.
 */
export function gmailSource(account: GmailAccount, options: GmailSourceOptions): MailSource {
  return {
    watch(handlers) {
      const stop = new AbortController()
      const bell = new Doorbell()
      const listening = options.push && listenForPush(options.push, () => bell.ring(), stop.signal)
      const ended = Promise.all([keepLooking(account, options, handlers, bell, stop.signal), listening])
      return {
        async [Symbol.asyncDispose]() {
          stop.abort()
          await ended
        },
      }
    },
  }
}

async function keepLooking(
  account: GmailAccount,
  options: GmailSourceOptions,
  handlers: MailHandlers,
  bell: Doorbell,
  stopping: AbortSignal,
): Promise<void> {
  const askForPush = pushAsker(options.push, account)
  const { firstRetryMs = 1_000, maxRetryMs = 120_000 } = options
  const readers = gmailReaders(account, options.timings)
  // Handed over since the last time that all were: a look that is broken off goes on behind them.
  const done = new Set<string>()
  let retryInMs = firstRetryMs
  let isConnected = false
  while (!stopping.aborted) {
    const before = done.size
    try {
      bell.reset()
      const gmail = await unlessStopped(readers(), stopping)
      await askForPush(gmail)
      await look(gmail, options, handlers, done, stopping)
      if (!isConnected) handlers.onState({ kind: 'connected' })
      isConnected = true
      retryInMs = firstRetryMs
      await tellCredential(readers, handlers, false)
      await bell.wait(options.pollMs, stopping)
    } catch (error) {
      if (stopping.aborted) return
      isConnected = false
      if (done.size > before) retryInMs = firstRetryMs
      // What a handler threw is not Google's.
      const fault = isOfCall(error) ? gmailFault(error, account) : (error as Error)
      const waitMs = waitAfter(fault, retryInMs)
      handlers.onState({ kind: 'disconnected', error: fault, retryInMs: waitMs })
      if (fault instanceof CountersignError && fault.code === 'ERR_MAIL_AUTH')
        await tellCredential(readers, handlers, true)
      await pause(waitMs, stopping)
      retryInMs = Math.min(retryInMs * 2, maxRetryMs)
    }
  }
}

/** Asks Gmail, now and then, to announce what comes into the inbox. It changes nothing in the mailbox. */
function pushAsker(push: GmailPush | undefined, account: GmailAccount): (gmail: GmailReader) => Promise<void> {
  let askAt = 0
  return async (gmail) => {
    if (!push || Date.now() < askAt) return
    const requestBody = { topicName: push.topic, labelIds: ['INBOX'], labelFilterBehavior: 'INCLUDE' }
    try {
      await gmail.users.watch({ userId: 'me', requestBody }, gmail.options)
      askAt = Date.now() + ASK_FOR_PUSH_EVERY_MS
    } catch (error) {
      askAt = Date.now() + ASK_FOR_PUSH_AGAIN_MS
      push.onFault(gmailFault(error, account))
    }
  }
}

/** Hands over every message that is not handled yet, oldest first. */
async function look(
  gmail: GmailReader,
  options: GmailSourceOptions,
  handlers: MailHandlers,
  done: Set<string>,
  stopping: AbortSignal,
): Promise<void> {
  const calls = { ...gmail, options: { ...gmail.options, signal: stopping } }
  const whole = { ...calls.options, timeout: (options.timings ?? GMAIL_TIMINGS).sendMs }
  const start = handlers.startingPoint(EPOCH)
  const { arrivals, upTo } = await newArrivals(calls, start)
  for (const { id, position } of arrivals) {
    stopping.throwIfAborted()
    if (done.has(id)) continue
    const isWanted = !options.onlyReports || (await isReport(calls, id))
    const raw = isWanted ? await fetchGmail({ ...calls, options: whole }, id) : undefined
    if (raw) await handlers.onMessage({ ...raw, ...(position && { position: at(position) }) })
    done.add(id)
  }
  handlers.onCaughtUp(at(upTo))
  done.clear()
}

/** History where Gmail still has it (about a week, at times hours), else every message of the inbox since the last look. */
async function newArrivals(
  gmail: GmailReader,
  start: { readonly after?: string; readonly sinceMs: number },
): Promise<{ readonly arrivals: readonly Arrival[]; readonly upTo: string }> {
  const known = start.after === undefined ? undefined : await arrivalsAfter(gmail, start.after)
  return known ?? { arrivals: await arrivalsSince(gmail, start.sinceMs), upTo: gmail.historyId }
}

async function tellCredential(
  readers: Pick<ReturnType<typeof gmailReaders>, 'credential'>,
  handlers: MailHandlers,
  isRefused: boolean,
): Promise<void> {
  const credential = readers.credential()
  if (credential) await handlers.onCredential?.({ ...credential, isRefused })
}

/** A random part of the back-off, or as long as the server asked for. */
function waitAfter({ cause }: Error, retryInMs: number): number {
  const asked = cause === undefined ? 0 : (answerOf(cause).retryAfterMs ?? 0)
  return Math.round(Math.min(Math.max(retryInMs * (0.5 + Math.random() / 2), asked), MAX_RETRY_AFTER_MS))
}

function isOfCall(error: unknown): boolean {
  const fault = error as { response?: unknown; config?: unknown }
  return fault.response !== undefined || fault.config !== undefined
}

function at(mark: string): MailPosition {
  return { epoch: EPOCH, mark }
}

async function unlessStopped<T>(work: Promise<T>, stopping: AbortSignal): Promise<T> {
  stopping.throwIfAborted()
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(stopping.reason)
  stopping.addEventListener('abort', stop)
  try {
    return await Promise.race([work, stopped.promise])
  } finally {
    stopping.removeEventListener('abort', stop)
  }
}

async function pause(ms: number, stopping: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: stopping }).catch(() => {})
}

/** Remembers a ring that came while nobody waited. */
class Doorbell {
  #rung = Promise.withResolvers<void>()

  ring(): void {
    this.#rung.resolve()
  }

  reset(): void {
    this.#rung = Promise.withResolvers<void>()
  }

  async wait(limitMs: number, stopping: AbortSignal): Promise<void> {
    const waited = new AbortController()
    await Promise.race([this.#rung.promise, pause(limitMs, AbortSignal.any([stopping, waited.signal]))])
    waited.abort()
  }
}
