import type { FetchMessageObject } from 'imapflow'
import { OWN_ID_HEADER } from '#core/mail.ts'

/** What to ask for so that `idsOf` can tell. */
export const ID_QUERY = { uid: true, envelope: true, internalDate: true, headers: ['References', OWN_ID_HEADER] }

const MAX_HEADER_CHARS = 50_000

/** By which ids a message calls itself, and to which it refers. */
export function idsOf(message: FetchMessageObject): { messageId: string; ownId?: string; refersTo: string[] } {
  const ownId = headerOf(message, OWN_ID_HEADER)
  const references = `${headerOf(message, 'References') ?? ''} ${message.envelope?.inReplyTo ?? ''}`
  return {
    messageId: message.envelope?.messageId?.trim() ?? '',
    ...(ownId && { ownId }),
    refersTo: [...new Set(references.match(/<[^<>\s]{1,250}>/g) ?? [])],
  }
}

function headerOf(message: FetchMessageObject, name: string): string | undefined {
  const text = String(message.headers ?? '')
    .slice(0, MAX_HEADER_CHARS)
    .replace(/\r?\n[ \t]+/g, ' ')
  const line = text.split(/\r?\n/).find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`))
  return line?.slice(name.length + 1).trim()
}
