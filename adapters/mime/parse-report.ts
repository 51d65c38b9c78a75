import PostalMime, { type Attachment } from 'postal-mime'
import { OWN_ID_HEADER } from '#core/mail.ts'
import type { DeliveryReport, RawMail } from '#core/ports/mail.ts'
import { beginningOf } from './beginning.ts'

const STATUS_PARTS = ['message/delivery-status', 'message/global-delivery-status']
const RETURNED_PARTS = ['message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers']
const MAX_PART_CHARS = 100_000
const MAX_RECIPIENTS = 50
const MAX_IDS = 20

/** Reads a report in the form of RFC 3464. Reports in other forms, of which there are many, are not understood. */
export async function readDeliveryReport(raw: RawMail): Promise<DeliveryReport | undefined> {
  try {
    const options = { forceRfc822Attachments: true, maxNestingDepth: 20 }
    const { attachments, inReplyTo, references } = await PostalMime.parse(beginningOf(raw.source), options)
    const statuses = attachments.filter((part) => STATUS_PARTS.includes(part.mimeType)).map(textOf)
    const failed = statuses.flatMap(failuresIn).slice(0, MAX_RECIPIENTS)
    if (failed.length === 0) return undefined
    const returned = attachments.filter((part) => RETURNED_PARTS.includes(part.mimeType)).map(textOf)
    const heads = returned.map((text) => fieldsOf(text.split(/\r?\n\r?\n/)[0] ?? ''))
    const named = heads.flatMap((fields) => [fields.get('message-id'), fields.get(OWN_ID_HEADER.toLowerCase())])
    const ids = [...named, inReplyTo, references].join(' ').match(/<[^<>\s]{1,250}>/g) ?? []
    return { ids: [...new Set(ids)].slice(0, MAX_IDS), failed }
  } catch {
    return undefined
  }
}

/** Each block of fields after the first, which is about the whole mail, is about one recipient. */
function failuresIn(status: string): DeliveryReport['failed'][number][] {
  return status.split(/\r?\n[ \t]*\r?\n/).flatMap((block) => {
    const fields = fieldsOf(block)
    if (fields.get('action')?.toLowerCase() !== 'failed') return []
    const recipient = fields.get('original-recipient') ?? fields.get('final-recipient') ?? ''
    return [
      {
        address: typedValue(recipient).replace(/^<|>$/g, '').slice(0, 254),
        status: /^\d\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0] ?? '',
        reason: typedValue(fields.get('diagnostic-code') ?? '').slice(0, 300),
      },
    ]
  })
}

/** Lower-case names; continued lines folded. */
function fieldsOf(block: string): Map<string, string> {
  const lines = block.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  return new Map(
    lines
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')).trim().toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
}

/** `rfc822; ana@acme.example` → `ana@acme.example`. */
function typedValue(typed: string): string {
  return typed
    .replace(/^[a-z0-9-]+\s*;/i, '')
    .replace(/\s+/g, ' ')
    .trim()
}

function textOf({ content }: Attachment): string {
  const text = typeof content === 'string' ? content : new TextDecoder().decode(content)
  return text.slice(0, MAX_PART_CHARS)
}
