import { Interrupted } from './until.ts'

/** One Ctrl-C may arrive twice: from the terminal, and passed on by npm. */
const ECHO_MS = 500

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP, a parent or a reader that went away, into an abort; the next
 * signal ends the process at once (its `exit` event kills what runs). Dispose to give the signals back.
 */
export function stopSignals(): { readonly signal: AbortSignal; readonly exitCode: () => number } & Disposable {
  const abort = new AbortController()
  let exitCode = 0
  let firstAt = 0
  const listen = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP', number: number) => {
    const stop = () => {
      if (exitCode !== 0) {
        if (performance.now() - firstAt > ECHO_MS) process.exit(exitCode)
        return
      }
      exitCode = 128 + number
      firstAt = performance.now()
      abort.abort(new Interrupted())
    }
    process.on(name, stop)
    return () => process.off(name, stop)
  }
  const given = [listen('SIGHUP', 1), listen('SIGINT', 2), listen('SIGTERM', 15)]
  // Whoever started us was killed and could not pass a signal on.
  const parent = process.ppid
  const orphaned = setInterval(() => process.ppid !== parent && abort.abort(new Interrupted()), 500).unref()
  // `demo | head`: nobody reads on, and writing would throw.
  const onPipe = () => abort.abort(new Interrupted())
  process.stdout.on('error', onPipe)
  return {
    signal: abort.signal,
    exitCode: () => exitCode,
    [Symbol.dispose]() {
      for (const off of given) off()
      clearInterval(orphaned)
      process.stdout.off('error', onPipe)
    },
  }
}
