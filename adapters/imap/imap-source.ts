import { setTimeout as delay } from 'node:timers/promises'
import type { FetchMessageObject, ImapFlow, MailboxObject } from 'imapflow'
import type { MailAccount, MailHandlers, MailPosition, MailSource, RawMail, StartingPoint } from '#core/ports/mail.ts'
import { declaredAttachments } from './body-structure.ts'
import { IMAP_TIMINGS, type ImapTimings, imapFault, newClient, within } from './connection.ts'

export interface ImapSourceOptions {
  readonly mailbox: string
  readonly timings?: ImapTimings
  readonly firstRetryMs?: number
  readonly maxRetryMs?: number
  /** Only reports of mail systems about what became of a mail are fetched and handed over. */
  readonly onlyReports?: boolean
}

/** Larger messages are fetched up to HEAD_BYTES only: their text comes first, their attachments stay on the server. */
const MAX_WHOLE_BYTES = 12 * 1024 * 1024
const HEAD_BYTES = 1024 * 1024

/**
 * Watches one IMAP mailbox, opened with EXAMINE so that nothing in it changes. New messages are announced through
 * IDLE; a lost connection is replaced by a new client after 0.5 s … 30 s.
 */
export function imapSource(account: MailAccount, options: ImapSourceOptions): MailSource {
  return {
    watch(handlers) {
      const stop = new AbortController()
      const ended = keepWatching(account, options, handlers, stop.signal)
      return {
        async [Symbol.asyncDispose]() {
          stop.abort()
          await ended
        },
      }
    },
  }
}

async function keepWatching(
  account: MailAccount,
  options: ImapSourceOptions,
  handlers: MailHandlers,
  stopping: AbortSignal,
): Promise<void> {
  const { firstRetryMs = 500, maxRetryMs = 30_000 } = options
  let retryInMs = firstRetryMs
  while (!stopping.aborted) {
    try {
      await watchOnce(account, options, handlers, stopping, () => {
        retryInMs = firstRetryMs
      })
    } catch (error) {
      if (stopping.aborted) return
      handlers.onState({ kind: 'disconnected', error: error as Error, retryInMs })
      await delay(retryInMs, undefined, { signal: stopping }).catch(() => {})
      retryInMs = Math.min(retryInMs * 2, maxRetryMs)
    }
  }
}

/** One connection's life. Always ends by throwing: by the fault, or because it was told to stop. */
async function watchOnce(
  account: MailAccount,
  options: ImapSourceOptions,
  handlers: MailHandlers,
  stopping: AbortSignal,
  onCaughtUp: () => void,
): Promise<never> {
  const timings = options.timings ?? IMAP_TIMINGS
  const client = await newClient(account, timings)
  const ask: Ask = async (question, patience = 1) => {
    stopping.throwIfAborted()
    try {
      return await within(client, patience * timings.answerMs, question)
    } catch (error) {
      throw imapFault(error, account)
    }
  }
  const close = () => client.close()
  stopping.addEventListener('abort', close)
  const news = new Doorbell()
  client.on('exists', () => news.ring())
  client.on('close', () => news.break())
  try {
    await ask(() => client.connect())
    const mailbox = await ask(() => client.mailboxOpen(options.mailbox, { readOnly: true }))
    handlers.onState({ kind: 'connected' })
    for (;;) {
      news.reset()
      await catchUp(client, mailbox, handlers, ask, options.onlyReports ?? false)
      onCaughtUp()
      // Pushed news is a doorbell; looking again now and then is what makes sure.
      await news.wait(timings.lookAgainMs)
      if (news.isBroken) throw imapFault(new Error('the server closed the connection'), account)
    }
  } finally {
    stopping.removeEventListener('abort', close)
    client.close()
  }
}

/** Asks the server something: a limited wait, our own errors. */
type Ask = <T>(question: () => Promise<T>, patience?: number) => Promise<T>

/** Hands over every message that is not handled yet, oldest first. */
async function catchUp(
  client: ImapFlow,
  mailbox: MailboxObject,
  handlers: MailHandlers,
  ask: Ask,
  onlyReports: boolean,
): Promise<void> {
  const epoch = String(mailbox.uidValidity)
  const positionOf = (uid: number): MailPosition => ({ epoch, mark: String(uid) })
  const start = handlers.startingPoint(epoch)
  const uids = await ask(() => newUids(client, start))
  const wanted = onlyReports ? await ask(() => reportsAmong(client, uids)) : uids
  for (const uid of wanted) {
    const raw = await ask(() => fetchMessage(client, uid), 3)
    if (raw) await handlers.onMessage({ ...raw, position: positionOf(uid) })
  }
  // At a first look, older messages than those found are done with as well.
  const floor = start.after === undefined ? (mailbox.uidNext ?? 1) - 1 : Number(start.after)
  handlers.onCaughtUp(positionOf(Math.max(floor, uids.at(-1) ?? 0)))
}

async function newUids(client: ImapFlow, start: StartingPoint): Promise<number[]> {
  if (start.after === undefined) {
    const found = await client.search({ since: new Date(start.sinceMs) }, { uid: true })
    return (found || []).toSorted((a, b) => a - b)
  }
  // `N:*` always matches the last message, even when its UID is below N (RFC 3501).
  const after = Number(start.after)
  const found = await client.search({ uid: `${after + 1}:*` }, { uid: true })
  return (found || []).filter((uid) => uid > after).sort((a, b) => a - b)
}

async function reportsAmong(client: ImapFlow, uids: readonly number[]): Promise<number[]> {
  if (uids.length === 0) return []
  const reports: number[] = []
  for await (const message of client.fetch([...uids], { uid: true, bodyStructure: true }, { uid: true })) {
    if (message.bodyStructure?.type === 'multipart/report') reports.push(message.uid)
  }
  return reports.sort((a, b) => a - b)
}

/** undefined: it was deleted in the meantime. */
async function fetchMessage(client: ImapFlow, uid: number): Promise<RawMail | undefined> {
  const query = { uid: true, size: true, internalDate: true, bodyStructure: true }
  const about = await client.fetchOne(String(uid), query, { uid: true })
  if (!about) return undefined
  const isWhole = (about.size ?? 0) <= MAX_WHOLE_BYTES
  const content = await client.fetchOne(String(uid), { source: isWhole || { maxLength: HEAD_BYTES } }, { uid: true })
  const source = content ? content.source : undefined
  if (!source) return undefined
  return {
    receivedAt: receivedAt(about),
    // Some servers report another size than they deliver: what was asked for whole is whole.
    size: isWhole ? source.length : (about.size ?? source.length),
    source,
    declaredAttachments: isWhole ? [] : declaredAttachments(about.bodyStructure),
  }
}

/** Within the years that dates of this program have; the same for the same message each time. */
function receivedAt(about: FetchMessageObject): number {
  const time = new Date(about.internalDate ?? 0).getTime() || 0
  return Math.min(Math.max(time, Date.UTC(2000, 0)), Date.UTC(2100, 0))
}

/** Remembers a ring that came while nobody waited; once the line is broken it rings for ever. */
class Doorbell {
  #bell = Promise.withResolvers<void>()
  isBroken = false

  ring(): void {
    this.#bell.resolve()
  }

  break(): void {
    this.isBroken = true
    this.ring()
  }

  reset(): void {
    if (!this.isBroken) this.#bell = Promise.withResolvers<void>()
  }

  async wait(limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.ring(), limitMs)
    await this.#bell.promise
    clearTimeout(timer)
  }
}
