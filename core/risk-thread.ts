import { addressesIn, hostsIn } from './handbook-contacts.ts'
import { section, type TaskFile } from './task-file.ts'
import { isApart, messagesIn } from './thread-text.ts'

/** What the task says it answers. It came through the cloud: good enough to notice what is new, never to prove anything. */
export interface MailThread {
  /** Who takes part: From, Reply-To, To and Cc of its messages; not whoever their text names, nor who joined it uninvited. */
  readonly addresses: readonly string[]
  /** Who is answered. */
  readonly from: string | undefined
  readonly text: string
  /** Every host named in it. */
  readonly hosts: ReadonlySet<string>
}

const HEAD_LINE = /^(From|Reply to|To|Copy to): (.*)$/

export function threadOf(task: TaskFile): MailThread {
  const messages = messagesIn(section(task, 'original') ?? '')
  const { source } = task.front
  const named = messages
    .filter((one) => !isApart(one))
    .flatMap(headOf)
    .map((line) => HEAD_LINE.exec(line) ?? [])
    .map(([, label, value = '']) => (label === 'From' ? mailboxOf(value) : value))
  const sender = mailboxOf(source?.from ?? '')
  const [from] = addressesIn(sender)
  const addresses = [sender, ...(source?.reply_to ?? []), ...named].flatMap(addressesIn)
  const text = messages.join('\n\n')
  return { addresses: [...new Set(addresses)], from, text, hosts: new Set(hostsIn(text)) }
}

/** Without the name before it, which may show any address. */
function mailboxOf(sender: string): string {
  return /<([^<>]*)>\s*$/.exec(sender)?.[1] ?? sender
}

function headOf(message: string): string[] {
  const end = message.search(/\n[ \t]*\n/)
  return end < 0 ? [] : message.slice(0, end).split('\n')
}
