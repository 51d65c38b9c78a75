import { relative, sep } from 'node:path'
import { watch } from 'chokidar'
import { CountersignError } from '#core/errors.ts'

/** One save makes several events: wait until they have been quiet for this long … */
const QUIET_MS = 30
/** … but no longer than this, so that a busy folder is still seen. */
const CEILING_MS = 300

export interface WatchOptions {
  /** Look every so many milliseconds instead of asking the system: for mounts that deliver no events (Docker Desktop). */
  readonly pollMs?: number | undefined
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * Watches existing folders (absolute, below `root`) and calls back after changes, coalesced; dot names (temporary
 * files, locks) do not count. Resolves once changes are seen.
 */
export async function watchFolders(
  root: string,
  folders: readonly string[],
  onChange: () => void,
  options: WatchOptions = {},
): Promise<AsyncDisposable> {
  const ring = coalesce(onChange)
  const watcher = watch([...folders], {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path) => hasDotName(root, path),
    ...(options.pollMs === undefined ? {} : { usePolling: true, interval: options.pollMs }),
  })
  const close = async () => {
    ring.cancel()
    await watcher.close()
  }
  const ready = Promise.withResolvers<void>()
  watcher.once('ready', () => ready.resolve())
  watcher.on('all', () => ring.request())
  watcher.on('error', (error) => {
    ready.reject(watchFailed(root, error))
    options.onError?.(error)
    // What the watcher missed is found by looking.
    ring.request()
  })
  try {
    await ready.promise
  } catch (error) {
    await close()
    throw error
  }
  return { [Symbol.asyncDispose]: close }
}

/** Calls `act` QUIET_MS after the last request, or CEILING_MS after the first one that it has not served. */
export function coalesce(act: () => void): { request: () => void; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined
  let firstAt = 0
  const fire = () => {
    timer = undefined
    act()
  }
  return {
    request() {
      const now = performance.now()
      if (timer) clearTimeout(timer)
      else firstAt = now
      timer = setTimeout(fire, Math.max(0, Math.min(QUIET_MS, firstAt + CEILING_MS - now)))
    },
    cancel() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}

function hasDotName(root: string, path: string): boolean {
  return relative(root, path)
    .split(sep)
    .some((part) => part.startsWith('.'))
}

function watchFailed(root: string, cause: unknown): CountersignError {
  const found = cause instanceof Error ? cause.message : String(cause)
  return new CountersignError('ERR_VAULT_UNREADABLE', `cannot watch the vault ${root}: ${found}`, { cause })
}
