import { quoteInert } from './quote.ts'

/**
 * The quoted original of a thread: its messages one after the other, oldest first, each with its head lines, in one inert
 * block. Between two of them stands a line that no stranger can write, because triage takes its sign out of their text.
 */
const SIGN = '⸻'
const BETWEEN = `${SIGN} later in this thread ${SIGN}`
const LEFT_OUT = new RegExp(`^${SIGN} \\d+ earlier messages? left out; see the mailbox ${SIGN}$`)
/** What re-quoting may keep: more than `fitting` ever lets through. */
const MAX_CHARS = 100_000

/** First line of a message whose sender had no part in the thread before: whom it names takes no part by that. */
const APART = 'Note: its sender was no part of this thread before'

export function setApart(message: string): string {
  return isApart(message) ? message : `${APART}\n${message}`
}

export function isApart(message: string): boolean {
  return message.startsWith(`${APART}\n`)
}

/** A stranger's text without the sign that parts messages. */
export function withoutSign(text: string): string {
  return text.replaceAll(SIGN, '---')
}

/** The messages of an `original` section, oldest first, unfenced; empty when there is none. */
export function messagesIn(original: string): string[] {
  return unfenced(original).flatMap((text) => {
    const lines = text.trim().split('\n')
    const shown = LEFT_OUT.test(lines[0] ?? '') ? lines.slice(1) : lines
    return shown
      .join('\n')
      .split(`\n${BETWEEN}\n`)
      .map((one) => one.trim())
      .filter((one) => one !== '')
  })
}

/** The `original` section of these messages, oldest first, made inert (again). `leftOut`: how many came before them. */
export function renderMessages(messages: readonly string[], leftOut: number): string {
  const note = `${SIGN} ${leftOut} earlier message${leftOut === 1 ? '' : 's'} left out; see the mailbox ${SIGN}\n\n`
  const text = messages.map((one) => one.trim()).join(`\n\n${BETWEEN}\n\n`)
  return quoteInert(`${leftOut > 0 ? note : ''}${text}`, { maxChars: MAX_CHARS })
}

/** As many of the newest messages as fit, at least one. */
export function fitting(messages: readonly string[], maxChars: number, maxMessages: number): string[] {
  let chars = 0
  let first = messages.length
  while (first > 0 && messages.length - first < maxMessages) {
    chars += messages[first - 1]?.length ?? 0
    if (chars > maxChars && first < messages.length) break
    first -= 1
  }
  return messages.slice(first)
}

/** Whoever wrote it here (a card, the cloud, a person) may have fenced it in another way, or several texts apart. */
function unfenced(original: string): string[] {
  const blocks: string[] = []
  let open: { readonly fence: string; readonly lines: string[] } | undefined
  for (const line of original.split('\n')) {
    if (!open) {
      const fence = /^(`{3,})text$/.exec(line)?.[1]
      if (fence !== undefined) open = { fence, lines: [] }
    } else if (line === open.fence) {
      blocks.push(open.lines.join('\n'))
      open = undefined
    } else open.lines.push(line)
  }
  return blocks.length > 0 ? blocks : [original.replace(/^`{3,}(text)?$/gm, '')]
}
