import type { gmail_v1 } from '@googleapis/gmail'
import { OWN_ID_HEADER } from '#core/mail.ts'
import type { LookAtThread, ThreadMessage } from '#core/ports/mail.ts'
import { GMAIL_TIMINGS, type GmailAccount, type GmailReader, type GmailTimings, gmailReaders } from './gmail-client.ts'
import { answerOf, gmailFault } from './gmail-faults.ts'
import { headerOf, receivedAt } from './gmail-message.ts'

const HEADERS = ['Message-ID', 'In-Reply-To', 'References', 'From', OWN_ID_HEADER]
const MAX_MESSAGES = 100
const ID = /<[^<>\s]{1,250}>/g

/** Looks at Gmail's own threads: those in which one of the ids stands. */
export function gmailThreads(account: GmailAccount, timings: GmailTimings = GMAIL_TIMINGS): LookAtThread {
  const readers = gmailReaders(account, timings)
  return async ({ ids, since = 0 }) => {
    const gmail = await readers()
    try {
      const threads = new Set<string>()
      for (const id of ids) for (const thread of await threadsWith(gmail, id)) threads.add(thread)
      const messages: ThreadMessage[] = []
      for (const thread of threads) messages.push(...(await messagesOf(gmail, thread)))
      return messages
        .filter(({ at }) => at >= since - 86_400_000)
        .sort((a, b) => b.at - a.at)
        .slice(0, MAX_MESSAGES)
    } catch (error) {
      throw gmailFault(error, account)
    }
  }
}

async function threadsWith(gmail: GmailReader, messageId: string): Promise<string[]> {
  const q = `rfc822msgid:${messageId.replace(/[<>\s"]/g, '')}`
  const { data } = await gmail.users.messages.list({ userId: 'me', q }, gmail.options)
  return (data.messages ?? []).flatMap(({ threadId }) => (threadId ? [threadId] : []))
}

async function messagesOf(gmail: GmailReader, id: string): Promise<ThreadMessage[]> {
  try {
    const { data } = await gmail.users.threads.get(
      { userId: 'me', id, format: 'metadata', metadataHeaders: HEADERS },
      gmail.options,
    )
    return (data.messages ?? []).flatMap(described)
  } catch (error) {
    // Deleted in the meantime.
    if (answerOf(error).status === 404) return []
    throw error
  }
}

function described(message: gmail_v1.Schema$Message): ThreadMessage[] {
  const labels = message.labelIds ?? []
  if (['DRAFT', 'TRASH', 'SPAM'].some((label) => labels.includes(label))) return []
  const ownId = headerOf(message, OWN_ID_HEADER).trim()
  const from = headerOf(message, 'From')
  const references = `${headerOf(message, 'References')} ${headerOf(message, 'In-Reply-To')}`
  return [
    {
      folder: labels.includes('SENT') ? 'sent' : 'inbox',
      messageId: headerOf(message, 'Message-ID').trim(),
      ...(ownId && { ownId }),
      refersTo: [...new Set(references.match(ID) ?? [])],
      from: (/<([^<>]*)>\s*$/.exec(from)?.[1] ?? from).trim(),
      at: receivedAt(message),
    },
  ]
}
