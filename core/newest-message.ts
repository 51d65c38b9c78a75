import { isApart, messagesIn } from './thread-text.ts'

/** Where the answer ends and the quoted mail before it begins, as mail programs write it. */
const QUOTE_BEGINS =
  /^(?:-{2,}\s*(?:original message|ursprüngliche nachricht|message d’origine|mensaje original|messaggio originale|oorspronkelijk bericht|forwarded message|weitergeleitete nachricht)\b|_{10,}\s*$|(?:on|am|le|el|il|op|em|w dniu)\b.{4,120}\b(?:wrote|schrieb|écrit|escribió|escribio|ha scritto|schreef|escreveu|napisał\(?a?\)?)\b.{0,120}:?\s*$)/iu
/** The lines that triage puts over a mail. */
const HEAD = /^(?:From|Reply to|To|Copy to|Received|Subject|Attachment|Note|Left out here, see the mailbox): /

/**
 * What the message that is answered itself says (the newest by somebody who is part of the thread): without triage's head, without what it quotes,
 * without its signature.
 */
export function newestWords(original: string): string {
  const messages = messagesIn(original)
  const answered = messages.findLast((one) => !isApart(one)) ?? messages.at(-1) ?? ''
  const lines = answered.split('\n')
  const isHeaded = HEAD.test(lines[0] ?? '')
  const body = isHeaded ? lines.slice(lines.indexOf('') + 1) : lines
  const end = body.findIndex((line) => line === '-- ' || line === '--' || QUOTE_BEGINS.test(line.trim()))
  return (end < 0 ? body : body.slice(0, end))
    .filter((line) => !/^\s*>/.test(line))
    .join('\n')
    .trim()
}

/**
 * A quoted thread cut to `maxChars`: the newest message first of all (of a very long one its beginning and its end), then
 * as many of those before it as there is room for. In their order.
 */
export function boundThread(original: string, maxChars: number): { readonly text: string; readonly isCut: boolean } {
  const messages = messagesIn(original)
  const kept: string[] = []
  let room = maxChars
  let isCut = false
  for (const message of messages.toReversed()) {
    const isNewest = kept.length === 0
    if (!isNewest && message.length + SEPARATOR.length > room) {
      isCut = true
      break
    }
    const text = message.length > room ? cutMiddle(message, room) : message
    isCut ||= text !== message
    kept.unshift(text)
    room -= text.length + SEPARATOR.length
  }
  const missing = messages.length - kept.length
  const note = missing > 0 ? `[${missing} earlier messages are left out]${SEPARATOR}` : ''
  return { text: note + kept.join(SEPARATOR), isCut }
}

const SEPARATOR = '\n\n* * *\n\n'

function cutMiddle(text: string, maxChars: number): string {
  const head = Math.floor(maxChars * 0.75)
  const tail = Math.max(0, maxChars - head - 40)
  return `${text.slice(0, head).toWellFormed()}\n[… left out …]\n${tail > 0 ? text.slice(-tail).toWellFormed() : ''}`
}
