import { addressesIn, hostsIn } from './handbook-contacts.ts'
import { section, type TaskFile } from './task-file.ts'

/** What the task says it answers. It came through the cloud: good enough to notice what is new, never to prove anything. */
export interface MailThread {
  /** Who takes part: From, Reply-To, To and Cc of the mail, not whoever its text names. */
  readonly addresses: readonly string[]
  readonly from: string | undefined
  readonly text: string
  /** Every host named in it. */
  readonly hosts: ReadonlySet<string>
}

const HEAD_LINE = /^(?:From|Reply to|To|Copy to): (.*)$/

export function threadOf(task: TaskFile): MailThread {
  const text = (section(task, 'original') ?? '').replace(/^`{3,}(?:text)?\n/, '')
  const { source } = task.front
  const headEnd = text.search(/\n[ \t]*\n/)
  const head = headEnd < 0 ? '' : text.slice(0, headEnd)
  const named = head.split('\n').map((line) => HEAD_LINE.exec(line)?.[1] ?? '')
  const from = addressesIn(source?.from ?? '').at(-1)
  const addresses = [source?.from ?? '', ...(source?.reply_to ?? []), ...named].flatMap(addressesIn)
  return { addresses: [...new Set(addresses)], from, text, hosts: new Set(hostsIn(text)) }
}
