import type { gmail_v1 } from '@googleapis/gmail'
import { CountersignError } from '#core/errors.ts'
import type { GmailReader } from './gmail-client.ts'
import { answerOf } from './gmail-faults.ts'

/** A message that came into the inbox. */
export interface Arrival {
  readonly id: string
  /** Once it is dealt with, everything up to this history id is; missing where that cannot be told. */
  readonly position?: string
}

const PAGE = 500
/** A first look, or one after a long absence, at more than so many messages is not believed to be meant. */
const MAX_ARRIVALS = 100_000
const MAX_PAGES = 2_000
/** Gmail's own clock decides what is newer; and what comes late was dated before. */
const MARGIN_MS = 86_400_000

/**
 * What came into the inbox after a history id, oldest first, and up to where that is. undefined: Gmail has no history
 * from so long ago any more.
 */
export async function arrivalsAfter(
  gmail: GmailReader,
  startHistoryId: string,
): Promise<{ readonly arrivals: readonly Arrival[]; readonly upTo: string } | undefined> {
  const arrivals = new Map<string, Arrival>()
  let pageToken: string | undefined
  let upTo = startHistoryId
  for (let page = 0; page < MAX_PAGES; page++) {
    const data = await historyPage(gmail, startHistoryId, pageToken)
    if (!data) return undefined
    for (const record of data.history ?? []) for (const one of arrivalsOf(record)) addOnce(arrivals, one)
    upTo = data.historyId ?? upTo
    pageToken = data.nextPageToken ?? undefined
    if (pageToken === undefined) return { arrivals: [...arrivals.values()], upTo }
  }
  throw tooMany(`history since ${startHistoryId}`)
}

async function historyPage(
  gmail: GmailReader,
  startHistoryId: string,
  pageToken: string | undefined,
): Promise<gmail_v1.Schema$ListHistoryResponse | undefined> {
  try {
    const { data } = await gmail.users.history.list(
      {
        userId: 'me',
        startHistoryId,
        labelId: 'INBOX',
        // labelAdded: taken out of spam, or brought back by the person.
        historyTypes: ['messageAdded', 'labelAdded'],
        maxResults: PAGE,
        ...(pageToken && { pageToken }),
      },
      gmail.options,
    )
    return data
  } catch (error) {
    if (answerOf(error).status === 404) return undefined
    throw error
  }
}

/** Only the last message of a record stands for the record: a crash between two of them must not lose the second. */
function arrivalsOf(record: gmail_v1.Schema$History): Arrival[] {
  const isInbox = (labels: string[] | null | undefined) => labels?.includes('INBOX') ?? false
  const ids = [
    ...(record.messagesAdded ?? []).filter(({ message }) => isInbox(message?.labelIds)),
    ...(record.labelsAdded ?? []).filter(({ labelIds }) => isInbox(labelIds)),
  ].flatMap(({ message }) => (message?.id ? [message.id] : []))
  return ids.map((id, index) => ({ id, ...(index === ids.length - 1 && record.id && { position: record.id }) }))
}

function addOnce(arrivals: Map<string, Arrival>, one: Arrival): void {
  if (!arrivals.has(one.id)) arrivals.set(one.id, one)
}

/** Every message of the inbox that Gmail received since then, oldest first. */
export async function arrivalsSince(gmail: GmailReader, sinceMs: number): Promise<Arrival[]> {
  const q = `after:${Math.max(0, Math.floor((sinceMs - MARGIN_MS) / 1000))}`
  const ids: string[] = []
  let pageToken: string | undefined
  do {
    const { data } = await gmail.users.messages.list(
      { userId: 'me', labelIds: ['INBOX'], q, maxResults: PAGE, ...(pageToken && { pageToken }) },
      gmail.options,
    )
    ids.push(...(data.messages ?? []).flatMap(({ id }) => (id ? [id] : [])))
    if (ids.length > MAX_ARRIVALS) throw tooMany(`mail ${q}`)
    pageToken = data.nextPageToken ?? undefined
  } while (pageToken !== undefined)
  return ids.reverse().map((id) => ({ id }))
}

function tooMany(what: string): CountersignError {
  return new CountersignError('ERR_MAIL_UNREACHABLE', `looking through Gmail’s ${what}: there is no end to it`)
}
