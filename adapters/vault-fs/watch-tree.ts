import { type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { errnoOf } from './file-access.ts'
import { isOfContract, MAX_DEPTH } from './work-tree.ts'

export interface TreeWatchHandlers {
  /** Something may have changed at this path of the vault. */
  readonly onChange: (path: string) => void
  /** Events may have been missed: anything may have changed. */
  readonly onLost: () => void
}

/**
 * Watches the vault's folders for sync, one watch a folder and none a file, and names what may have changed. Folders
 * that come later are watched as they come. With `pollMs` nothing is watched and all is said to be lost that often: for
 * mounts that deliver no events. Throws ERR_VAULT_UNREADABLE when the vault cannot be watched.
 */
export function watchTree(root: string, handlers: TreeWatchHandlers, pollMs?: number): Disposable {
  if (pollMs !== undefined) {
    const timer = setInterval(handlers.onLost, pollMs)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }
  const watchers = new Map<string, FSWatcher>()
  const stopBelow = (folder: string) => {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue
      watcher.close()
      watchers.delete(path)
    }
  }
  const onEvent = (folder: string, event: string, name: string | null) => {
    if (name === null) return handlers.onLost()
    if (name.startsWith('.') || (folder === '' && !isOfContract(name))) return
    const path = folder === '' ? name : `${folder}/${name}`
    handlers.onChange(path)
    if (event === 'rename' && depthOf(path) <= MAX_DEPTH) onNameEvent(path)
  }
  /** A folder may have come, gone or been replaced by another of its name. */
  const onNameEvent = (path: string) => {
    const isFolder = lstatSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ?? false
    if (!isFolder && !watchers.has(path)) return
    stopBelow(path)
    try {
      if (isFolder) start(path, handlers.onChange)
    } catch {
      handlers.onLost() // Gone again, or no watches left: the next look at everything finds what is there.
    }
  }
  /** Watches a folder and those in it, then names what they hold: it may have come before the watch. */
  const start = (folder: string, onFound: (path: string) => void) => {
    const watcher = watch(join(root, folder), { persistent: false }, (event, name) => onEvent(folder, event, name))
    watcher.on('error', handlers.onLost)
    watchers.set(folder, watcher)
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (entry.name.startsWith('.') || (folder === '' && !isOfContract(entry.name))) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && depthOf(path) <= MAX_DEPTH) start(path, onFound)
      else onFound(path)
    }
  }
  const close = () => {
    for (const watcher of watchers.values()) watcher.close()
  }
  try {
    // The first scan looks at everything anyway.
    start('', () => {})
  } catch (cause) {
    close()
    throw new CountersignError('ERR_VAULT_UNREADABLE', `cannot watch the vault ${root}: ${errnoOf(cause)}`, { cause })
  }
  return { [Symbol.dispose]: close }
}

function depthOf(path: string): number {
  return path.split('/').length
}
