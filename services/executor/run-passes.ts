export interface Passes extends AsyncDisposable {
  /** Runs a pass soon. Rings during a pass lead to one more pass after it. */
  wake(): void
  /** Resolves when a pass that began after this call is over. */
  settled(): Promise<void>
}

/**
 * Runs `pass` again and again, never twice at once: whatever rings (a file, a job, a timer), the work is the same look at
 * vault and journal. `onFault` decides what a pass that threw means.
 */
export function runPasses(pass: () => Promise<void>, onFault: (error: unknown) => void): Passes {
  let isWanted = false
  let isStopped = false
  let running: Promise<void> | undefined
  const loop = async () => {
    while (isWanted && !isStopped) {
      isWanted = false
      try {
        await pass()
      } catch (error) {
        onFault(error)
      }
    }
    running = undefined
  }
  const wake = () => {
    isWanted = true
    running ??= loop()
  }
  return {
    wake,
    async settled() {
      wake()
      await running
    },
    async [Symbol.asyncDispose]() {
      isStopped = true
      await running
    },
  }
}
