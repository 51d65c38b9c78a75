import type { VaultPath } from '#core/vault-path.ts'

/**
 * Tells whether a file has stood with this very text for `quietMs`, as far as this process has seen. Editors save in
 * place: they cut the file and write it anew, so what is read in between is half a file. To replace it then would
 * throw away what the person is just saving. A file that is not quiet yet is looked at again (`wake`) when it may be.
 */
export type IsQuiet = (path: VaultPath, text: string) => boolean

export interface QuietOptions {
  readonly quietMs: number
  readonly wake: () => void
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic?: () => number
}

interface Seen {
  readonly text: string
  readonly since: number
  readonly timer: NodeJS.Timeout
}

export function quietFiles({ quietMs, wake, monotonic = () => performance.now() }: QuietOptions): IsQuiet & Disposable {
  const seen = new Map<VaultPath, Seen>()
  const isQuiet = (path: VaultPath, text: string): boolean => {
    const known = seen.get(path)
    clearTimeout(known?.timer)
    const since = known?.text === text ? known.since : monotonic()
    const left = quietMs - (monotonic() - since)
    if (left <= 0) {
      // Whatever is decided about it now, nothing is kept of a file that may never be asked about again.
      seen.delete(path)
      return true
    }
    seen.set(path, { text, since, timer: setTimeout(wake, left + 1) })
    return false
  }
  return Object.assign(isQuiet, {
    [Symbol.dispose]() {
      for (const { timer } of seen.values()) clearTimeout(timer)
      seen.clear()
    },
  })
}
