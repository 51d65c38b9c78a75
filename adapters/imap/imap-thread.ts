import type { ImapFlow, SearchObject } from 'imapflow'
import type { LookAtThread, MailAccount, ThreadMessage } from '#core/ports/mail.ts'
import { IMAP_TIMINGS, type ImapTimings, imapFault, newClient, within } from './connection.ts'
import { ID_QUERY, idsOf } from './message-ids.ts'
import { sentFolder } from './sent-folder.ts'

const DAY_MS = 86_400_000
const MAX_MESSAGES = 100

type Conversation = { readonly client: ImapFlow; readonly sent: string | undefined }

/**
 * Looks at threads over one connection, which is kept: this look stands before every reply, and logging in takes longer
 * than looking. A connection that the server has given up meanwhile is replaced once.
 */
export function imapThreads(
  account: MailAccount,
  options: { readonly mailbox: string },
  timings: ImapTimings = IMAP_TIMINGS,
): { readonly look: LookAtThread } & Disposable {
  let kept: Conversation | undefined
  const open = async (): Promise<Conversation> => {
    const client = await newClient(account, timings)
    try {
      return await within(client, timings.answerMs, async () => {
        await client.connect()
        return { client, sent: await sentFolder(client) }
      })
    } catch (error) {
      client.close()
      throw imapFault(error, account)
    }
  }
  const ask = async ({ client, sent }: Conversation, query: Query) => {
    try {
      return await within(client, timings.answerMs, () => lookIn(client, options.mailbox, sent, query))
    } catch (error) {
      client.close()
      throw imapFault(error, account)
    }
  }
  return {
    async look(query) {
      const old = kept?.client.usable ? kept : undefined
      kept = undefined
      const known = old && (await ask(old, query).catch(() => undefined))
      const current = known ? old : await open()
      const messages = known ?? (await ask(current, query))
      kept = current
      return messages
    },
    [Symbol.dispose]() {
      kept?.client.close()
    },
  }
}

type Query = Parameters<LookAtThread>[0]

async function lookIn(client: ImapFlow, inbox: string, sent: string | undefined, query: Query) {
  const found = await messagesIn(client, inbox, 'inbox', query)
  const folder = sent ?? (await sentFolder(client))
  return folder === undefined ? found : [...found, ...(await messagesIn(client, folder, 'sent', query))]
}

async function messagesIn(
  client: ImapFlow,
  path: string,
  folder: ThreadMessage['folder'],
  query: Query,
): Promise<ThreadMessage[]> {
  await client.mailboxOpen(path, { readOnly: true })
  const uids = (await client.search(criteriaOf(query), { uid: true })) || []
  const newest = uids.toSorted((a, b) => b - a).slice(0, MAX_MESSAGES)
  if (newest.length === 0) return []
  const messages: ThreadMessage[] = []
  for await (const message of client.fetch(newest, ID_QUERY, { uid: true })) {
    const ids = idsOf(message)
    // The search finds substrings.
    if (![ids.messageId, ...ids.refersTo].some((id) => query.ids.includes(id))) continue
    const at = new Date(message.internalDate ?? 0).getTime()
    messages.push({ folder, ...ids, from: message.envelope?.from?.[0]?.address ?? '', at })
  }
  return messages
}

function criteriaOf({ ids, since }: Query): SearchObject {
  const named = ids.flatMap((id) =>
    ['message-id', 'in-reply-to', 'references'].map((name) => ({ header: { [name]: id } })),
  )
  return { or: named, ...(since !== undefined && { since: new Date(since - DAY_MS) }) }
}
