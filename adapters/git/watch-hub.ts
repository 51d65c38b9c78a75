import { watch } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Calls back after a push to a hub on this machine, so that nobody has to ask it. Undefined for a hub elsewhere, or one
 * that is not there (yet): then it has to be asked. A missed event is possible; ask now and then all the same.
 */
export function watchHub(hubUrl: string, onPush: () => void): Disposable | undefined {
  const path = hubUrl.startsWith('file://') ? fileURLToPath(hubUrl) : hubUrl
  if (!isAbsolute(path)) return undefined
  try {
    const watcher = watch(join(path, 'refs', 'heads'), { persistent: false }, (_event, name) => {
      if (name === null || name === 'main') onPush()
    })
    watcher.on('error', onPush)
    return { [Symbol.dispose]: () => watcher.close() }
  } catch {
    return undefined // Not there: the caller asks, and the answer says what is wrong.
  }
}
