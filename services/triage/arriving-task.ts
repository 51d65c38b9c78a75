import { attachmentPath, shownSize } from '#core/attachment.ts'
import type { Decision } from '#core/classify-mail.ts'
import type { TaskId } from '#core/ids.ts'
import { messageMark } from '#core/join-message.ts'
import { NO_SUBJECT, plainSubject, replyRecipients, replyReferences } from '#core/mail.ts'
import { maskMail } from '#core/mask-mail.ts'
import type { IncomingAttachment, IncomingMail, MailAddress } from '#core/ports/mail.ts'
import { oneLine, plainMarkdown, quoteInert } from '#core/quote.ts'
import { type FrontMatter, newTaskFile, renderSection, type TaskFile } from '#core/task-file.ts'
import { withoutSign } from '#core/thread-text.ts'
import { type Domain, taskFileName, type VaultPath } from '#core/vault-path.ts'

const MAX_QUOTE_CHARS = 40_000
const MAX_NAMED_ADDRESSES = 10

/** What a mail becomes: the same mail always gives the same name and the same text. */
export interface ArrivingTask {
  readonly fileName: string
  readonly task: TaskFile
  readonly attachments: readonly { readonly path: VaultPath; readonly bytes: Uint8Array }[]
}

/** What a mail is about. */
export interface Sorted {
  readonly domain: Domain
  readonly priority?: FrontMatter['priority']
  readonly language?: string
  readonly risk: readonly string[]
  readonly classified?: Decision
}

/** What the task of a mail is made of besides the mail. */
export interface Circumstances extends Sorted {
  readonly id: TaskId
  /** The mailbox, as it stands in task files. */
  readonly account: string
  readonly provider?: 'imap' | 'gmail' | undefined
  /** `mailKey` of the mail. */
  readonly key: string
  /** The thread it belongs to. */
  readonly thread: string
}

/** The task file of a mail for Needs_Action. Throws ERR_TASK_FILE_INVALID when it cannot be written as one. */
export function arrivingTask(received: IncomingMail, circumstances: Circumstances): ArrivingTask {
  const { mail, masked } = maskMail(received)
  return taskOf(mail, masked, circumstances)
}

function taskOf(mail: IncomingMail, masked: readonly string[], circumstances: Circumstances): ArrivingTask {
  const { id, account, key, thread, domain, priority, language, classified } = circumstances
  const title = oneLine(mail.subject, 300) || NO_SUBJECT
  const subject = plainSubject(mail.subject)
  const received = new Date(mail.receivedAt).toISOString()
  const reply = replyRecipients(mail)
  const from = mail.from ? shownAddress(mail.from) : 'unknown'
  const task = newTaskFile(
    {
      id,
      schema: '1',
      kind: 'EMAIL',
      domain,
      title,
      ...(priority && { priority }),
      ...(language && { language }),
      created: received,
      source: {
        provider: circumstances.provider ?? 'imap',
        account,
        message_id: mail.messageId,
        thread_id: thread,
        from,
        reply_to: [...reply.to],
        received,
        ...(subject && { subject }),
        references: replyReferences(mail.references, undefined),
        messages: [messageMark(received, key)],
      },
      ...(classified && { classified: { ...classified } }),
      risk: [...new Set([...reply.risk, ...contentRisks(mail), ...circumstances.risk])],
      generation: '0',
      history: [],
    },
    noteText(title, from, received, mail, masked),
  )
  return {
    fileName: taskFileName({ kind: 'EMAIL', dayIso: received.slice(0, 10), title, id }),
    task,
    attachments: mail.attachments.flatMap((one) =>
      one.content ? [{ path: attachmentPath(one.fileName, one.content.sha256), bytes: one.content.bytes }] : [],
    ),
  }
}

function contentRisks(mail: IncomingMail): string[] {
  return [
    ...(mail.problems.length > 0 ? ['mail-incomplete'] : []),
    ...(mail.attachments.some((one) => !one.content) ? ['attachment-not-kept'] : []),
  ]
}

function noteText(
  title: string,
  from: string,
  received: string,
  mail: IncomingMail,
  masked: readonly string[],
): string {
  const header = [...headerLines(title, from, received, mail), ...maskedLine(masked)]
  const quote = quoteInert(withoutSign([...header, '', mail.text.trim()].join('\n')), {
    maxChars: MAX_QUOTE_CHARS,
  })
  return [
    '',
    `# ${plainMarkdown(title, 300)}`,
    '',
    `A mail from ${plainMarkdown(from, 400)}, received ${shownTime(received)}.`,
    '',
    renderSection('original', quote),
    '',
  ].join('\n')
}

/** What the person needs to know of the mail's head, in words, one line each. */
function headerLines(title: string, from: string, received: string, mail: IncomingMail): string[] {
  const replyTo = mail.replyTo.filter((one) => one.address !== mail.from?.address)
  return [
    `From: ${from}`,
    ...addressLine('Reply to', replyTo),
    ...addressLine('To', mail.to),
    ...addressLine('Copy to', mail.cc),
    `Received: ${shownTime(received)}`,
    `Subject: ${title}`,
    ...mail.attachments.map(attachmentLine),
    ...mail.problems.map((problem) => `Note: ${problem}`),
  ]
}

function maskedLine(masked: readonly string[]): string[] {
  return masked.length > 0 ? [`Left out here, see the mailbox: ${masked.join(', ')}`] : []
}

function addressLine(label: string, addresses: readonly MailAddress[]): string[] {
  if (addresses.length === 0) return []
  const named = addresses.slice(0, MAX_NAMED_ADDRESSES).map(shownAddress).join(', ')
  const more = addresses.length - MAX_NAMED_ADDRESSES
  return [`${label}: ${named}${more > 0 ? ` and ${more} more` : ''}`]
}

function attachmentLine(one: IncomingAttachment): string {
  const what = `${oneLine(one.fileName, 120) || 'unnamed'} (${oneLine(one.contentType, 80)}, ${shownSize(one.size)})`
  const where = one.content
    ? `kept as ${attachmentPath(one.fileName, one.content.sha256)}`
    : 'not kept here; see the mailbox'
  return `Attachment: ${what}, ${where}`
}

function shownAddress({ name, address }: MailAddress): string {
  const shownName = oneLine(name.replace(/["<>]/g, ' '), 120)
  const shown = oneLine(address, 254)
  return shownName ? `${shownName} <${shown}>` : shown
}

function shownTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}
