/** What the tracing of a draft flags. Each machine finds these by itself: what a file claims of them says nothing. */
export const GROUNDING_FLAGS: ReadonlySet<string> = new Set([
  ...['amount-new', 'promise-of-thread', 'ungrounded-promise', 'ungrounded-date', 'ungrounded-time'],
  ...['ungrounded-number', 'ungrounded-name'],
])
