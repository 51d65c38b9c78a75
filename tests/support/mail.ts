import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ImapFlow } from 'imapflow'
import { smtpSender } from '#adapters/smtp/smtp-sender.ts'
import type { MailAccount } from '#core/ports/mail.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'

type Who = keyof Mailbox['accounts']

export function smtpAccount(mailbox: Mailbox, who: Who, changes: Partial<MailAccount> = {}): MailAccount {
  const { address, password } = mailbox.accounts[who]
  return { ...mailbox.smtp, user: address, tls: 'none', password: async () => password, ...changes }
}

export function imapAccount(mailbox: Mailbox, who: Who, changes: Partial<MailAccount> = {}): MailAccount {
  return { ...smtpAccount(mailbox, who, changes), ...mailbox.imap, ...changes }
}

/** Sends bytes as the client to the owner, whatever they are. */
export async function deliver(mailbox: Mailbox, raw: string | Buffer, from?: string): Promise<void> {
  const sender = smtpSender(smtpAccount(mailbox, 'client'))
  const bytes = typeof raw === 'string' ? Buffer.from(raw.replace(/\r?\n/g, '\r\n')) : raw
  const envelope = { from: from ?? mailbox.accounts.client.address, to: [mailbox.accounts.owner.address] }
  const outcome = await sender.send({ envelope, raw: bytes })
  if (outcome.kind !== 'accepted') throw new Error(`not delivered: ${JSON.stringify(outcome)}`)
}

/** Everything in a mailbox, with its flags. `isRecent`: no session ever opened the mailbox for writing since it came. */
export async function lookInto(mailbox: Mailbox, who: Who, folder = 'INBOX') {
  const { address, password } = mailbox.accounts[who]
  const auth = { user: address, pass: password }
  const client = new ImapFlow({ ...mailbox.imap, secure: false, doSTARTTLS: false, auth, logger: false })
  client.on('error', () => {})
  await client.connect()
  try {
    const box = await client.mailboxOpen(folder, { readOnly: true })
    const messages: { uid: number; flags: string[]; isRecent: boolean; subject: string; source: string }[] = []
    if (box.exists > 0) {
      for await (const one of client.fetch('1:*', { uid: true, flags: true, envelope: true, source: true })) {
        const all = one.flags ?? new Set<string>()
        const flags = [...all].filter((flag) => flag !== '\\Recent').sort()
        const isRecent = all.has('\\Recent')
        messages.push({
          uid: one.uid,
          flags,
          isRecent,
          subject: one.envelope?.subject ?? '',
          source: String(one.source),
        })
      }
    }
    return { uidValidity: String(box.uidValidity), messages }
  } finally {
    client.close()
  }
}

/** Waits until `find` gives something other than undefined or false. */
export async function eventually<T>(what: string, find: () => T | Promise<T>, limitMs = 120_000) {
  const limit = AbortSignal.timeout(limitMs)
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>
    if (limit.aborted) throw new Error(`waited ${limitMs} ms in vain until ${what}`)
    await delay(50)
  }
}

export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', args, { timeout: 60_000 })
  return stdout.trim()
}

/** Runs a command in a container with these bytes as its input. */
export async function pipeInto(container: string, input: Buffer, command: readonly string[]): Promise<void> {
  const running = promisify(execFile)('docker', ['exec', '-i', container, ...command], { timeout: 60_000 })
  running.child.stdin?.end(input)
  await running
}
