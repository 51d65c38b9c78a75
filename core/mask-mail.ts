import { textsOf } from './content-texts.ts'
import type { IncomingAttachment, IncomingMail, MailAddress } from './ports/mail.ts'
import { type FoundSecret, findSecrets } from './secret-rules.ts'

export interface MaskedText {
  readonly text: string
  /** The names of the rules, each once. */
  readonly masked: readonly string[]
}

/** What was hidden behind one secret may show once that is gone. */
const MAX_PASSES = 4
/** A longer text is masked piece by piece, which no honest secret crosses. */
const PIECE_CHARS = 64 * 1024

/**
 * The text with every secret in it, of either kind, as `⟦masked:kind⟧`: mail is full of codes and reset links, and what
 * quotes it must neither carry them on nor be kept back for them. Afterwards no rule finds anything to keep it back.
 */
export function maskSecrets(text: string): MaskedText {
  const pieces = text.match(new RegExp(`[\\s\\S]{1,${PIECE_CHARS}}`, 'g')) ?? []
  const done = pieces.map(maskPiece)
  return {
    text: done.map((piece) => piece.text).join(''),
    masked: [...new Set(done.flatMap((piece) => piece.masked))].sort(),
  }
}

/**
 * A mail as it may be quoted, with the names of what was left out. Attachments that hold a secret lose their contents,
 * addresses and ids that do are left out; the person has all of it in the mailbox.
 */
export function maskMail(mail: IncomingMail): { readonly mail: IncomingMail; readonly masked: readonly string[] } {
  const masked = new Set<string>()
  const hide = (text: string): string => {
    const done = maskSecrets(text)
    for (const rule of done.masked) masked.add(rule)
    return done.text
  }
  const isClean = (text: string): boolean => !findSecrets(text).some(({ kind }) => kind === 'block')
  const address = (one: MailAddress): MailAddress[] =>
    isClean(one.address) ? [{ name: hide(one.name), address: one.address }] : []
  const { from: sender, messageId, ...rest } = mail
  const [from] = sender ? address(sender) : []
  return {
    mail: {
      ...rest,
      ...(from && { from }),
      ...(messageId !== undefined && isClean(messageId) && { messageId }),
      references: mail.references.filter(isClean),
      replyTo: mail.replyTo.flatMap(address),
      to: mail.to.flatMap(address),
      cc: mail.cc.flatMap(address),
      subject: hide(mail.subject),
      text: hide(mail.text),
      attachments: mail.attachments.map((one) => withoutSecret({ ...one, fileName: hide(one.fileName) }, masked)),
    },
    masked: [...masked].sort(),
  }
}

function withoutSecret(one: IncomingAttachment, masked: Set<string>): IncomingAttachment {
  if (!one.content) return one
  const found = textsOf(one.content.bytes)
    .flatMap((text) => findSecrets(text))
    .find(({ kind }) => kind === 'block')
  if (!found) return one
  masked.add(found.rule)
  const { content: _left, ...named } = one
  return named
}

function maskPiece(text: string): MaskedText {
  const masked = new Set<string>()
  let rest = text
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const found = findSecrets(rest)
    if (found.length === 0) return { text: rest, masked: [...masked] }
    for (const { rule } of found) masked.add(rule)
    rest = replaceRanges(rest, found)
  }
  const [stubborn] = findSecrets(rest).filter(({ kind }) => kind === 'block')
  return { text: stubborn ? mark(stubborn.rule) : rest, masked: [...masked] }
}

/** Ranges that touch each other go as one, under the name of the first. */
function replaceRanges(text: string, found: readonly FoundSecret[]): string {
  const parts: string[] = []
  let done = 0
  for (const { start, end, rule } of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (end <= done) continue
    if (start >= done) parts.push(text.slice(done, start), mark(rule))
    done = end
  }
  return [...parts, text.slice(done)].join('')
}

function mark(rule: string): string {
  return `⟦masked:${rule}⟧`
}
