/**
 * Work that is asked for often and done at most every `everyMs` of a clock that only goes forward. What it throws is told, and it is
 * done again at the next time.
 */
export function onceEvery(
  everyMs: number,
  monotonic: () => number,
  work: () => Promise<void>,
  onFault: (error: unknown) => void,
): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY
  return async () => {
    const now = monotonic()
    if (now - last < everyMs) return
    last = now
    await work().catch(onFault)
  }
}
