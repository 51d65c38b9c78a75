/** At most so many at once; who comes later waits in line. */
export interface Slots {
  /** Resolves with what gives the slot back. Throws what `signal` is aborted with. */
  take(signal: AbortSignal | undefined): Promise<() => void>
}

export function makeSlots(count: number): Slots {
  let free = count
  const line: (() => void)[] = []
  const giveBack = () => {
    const next = line.shift()
    if (next) next()
    else free++
  }
  return {
    async take(signal) {
      signal?.throwIfAborted()
      if (free > 0) {
        free--
        return onlyOnce(giveBack)
      }
      const turn = Promise.withResolvers<void>()
      const leave = () => {
        const place = line.indexOf(turn.resolve)
        if (place < 0) return // its turn had come
        line.splice(place, 1)
        turn.reject(signal?.reason)
      }
      line.push(turn.resolve)
      signal?.addEventListener('abort', leave, { once: true })
      await turn.promise.finally(() => signal?.removeEventListener('abort', leave))
      return onlyOnce(giveBack)
    },
  }
}

function onlyOnce(act: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) act()
    isDone = true
  }
}
