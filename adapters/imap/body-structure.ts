import type { MessageStructureObject } from 'imapflow'
import type { IncomingAttachment } from '#core/ports/mail.ts'

const MAX_DEPTH = 50
/** Base64 as mail carries it: 57 bytes in a line of 76 characters and a line end. */
const BASE64_RATIO = 57 / 78

/** Names, types and sizes of a message's files as the server describes them, without fetching any. */
export function declaredAttachments(structure: MessageStructureObject | undefined, depth = 0): IncomingAttachment[] {
  if (!structure || depth > MAX_DEPTH) return []
  const children = structure.type?.startsWith('multipart/') ? (structure.childNodes ?? []) : []
  if (children.length > 0) return children.flatMap((child) => declaredAttachments(child, depth + 1))
  const fileName = structure.dispositionParameters?.filename ?? structure.parameters?.name
  const isText = structure.type === 'text/plain' || structure.type === 'text/html'
  if (isText && !fileName && structure.disposition !== 'attachment') return []
  const encoded = structure.size ?? 0
  return [
    {
      fileName: fileName ?? 'unnamed',
      contentType: structure.type ?? 'application/octet-stream',
      size: structure.encoding?.toLowerCase() === 'base64' ? Math.floor(encoded * BASE64_RATIO) : encoded,
    },
  ]
}
