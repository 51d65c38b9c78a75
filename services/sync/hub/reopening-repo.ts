import type { HubWatch, Oid, RepoPort } from '#core/ports/repo.ts'

/** A repository that can be closed, worked on by something else, and opened again under the same hands. */
export interface ReopeningRepo extends RepoPort {
  /**
   * Closes it, does `between`, and opens it again, also when that failed. No other call may be under way: between two
   * rounds. Throws what opening throws; then every later call fails, and the process should end.
   */
  reopen<T>(between: () => Promise<T>): Promise<T>
}

export function reopeningRepo(first: RepoPort, open: () => Promise<RepoPort>): ReopeningRepo {
  let current = first
  let tidying: Promise<void> = Promise.resolve()
  const watches = new Set<{ readonly onPush: (head?: Oid | null) => void; inner: HubWatch | undefined }>()
  return {
    agent: first.agent,
    fetch: (options) => current.fetch(options),
    remoteHead: () => current.remoteHead(),
    push: (request) => current.push(request),
    resetHub: (request) => current.resetHub(request),
    head: () => current.head(),
    commitsBetween: (from, to) => current.commitsBetween(from, to),
    isAncestor: (ancestor, descendant) => current.isAncestor(ancestor, descendant),
    treeOf: (commit) => current.treeOf(commit),
    readBlob: (oid, maxBytes) => current.readBlob(oid, maxBytes),
    writeBlob: (bytes) => current.writeBlob(bytes),
    commitTree: (draft) => current.commitTree(draft),
    async tidy() {
      await tidying.catch(() => {})
      tidying = current.tidy()
      await tidying
    },
    checkObjects: (options) => current.checkObjects(options),
    saveRef: (name, oid) => current.saveRef(name, oid),
    readRef: (name) => current.readRef(name),
    keepBlobs: (blobs) => current.keepBlobs(blobs),
    watch(onPush) {
      const watch = { onPush, inner: current.watch(onPush) }
      watches.add(watch)
      return {
        isLive: () => watch.inner?.isLive() ?? false,
        async [Symbol.asyncDispose]() {
          watches.delete(watch)
          await watch.inner?.[Symbol.asyncDispose]()
        },
      }
    },
    async reopen(between) {
      for (const watch of watches) await watch.inner?.[Symbol.asyncDispose]()
      await tidying.catch(() => {}) // Whoever asked for it was told.
      await current[Symbol.asyncDispose]()
      try {
        return await between()
      } finally {
        current = await open()
        for (const watch of watches) watch.inner = current.watch(watch.onPush)
      }
    },
    [Symbol.asyncDispose]: () => current[Symbol.asyncDispose](),
  }
}
