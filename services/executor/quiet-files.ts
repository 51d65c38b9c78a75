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

export function quietFiles({ quietMs, wake, monotonic = () => performance.now() }: QuietOptions): IsQuiet & Disposable {
  const seen = new Map<VaultPath, { readonly text: string; readonly since: number; readonly timer: NodeJS.Timeout }>()
  const isQuiet = (path: VaultPath, text: string): boolean => {
    const known = seen.get(path)
    if (known?.text === text) {
      if (monotonic() - known.since < quietMs) return false
      seen.delete(path)
      return true
    }
    clearTimeout(known?.timer)
    seen.set(path, { text, since: monotonic(), timer: setTimeout(wake, quietMs + 1) })
    return false
  }
  return Object.assign(isQuiet, {
    [Symbol.dispose]() {
      for (const { timer } of seen.values()) clearTimeout(timer)
      seen.clear()
    },
  })
}
