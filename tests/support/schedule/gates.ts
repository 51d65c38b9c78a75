import type { Listing } from '#core/ports/work-tree.ts'
import type { SyncPorts } from '#tests/support/sync-world.ts'

/** Where a process stands between two lines of its program that touch the outside. */
export interface Gate {
  /** Resolves when the process may go on; never, when it dies here. */
  pass(where: string): Promise<void>
  /** For calls that nobody waits for: throws a Crash when the process dies here. */
  passNow(where: string): void
  /** False while the hub cannot be reached from here. */
  isConnected(): boolean
}

/**
 * The ports of one process with a gate before and after each call, so that any call may be its last and anybody may
 * write in between. Reading the clone's own objects has no gate: nothing can come in between that matters.
 */
export function gatedPorts(ports: SyncPorts, gate: Gate): SyncPorts {
  const { repo, workTree, store, ledger, doorbell, received } = ports
  const around = async <T>(where: string, call: () => Promise<T>): Promise<T> => {
    await gate.pass(`before ${where}`)
    const result = await call()
    await gate.pass(`after ${where}`)
    return result
  }
  const aroundNow = (where: string, call: () => void) => {
    gate.passNow(`before ${where}`)
    call()
    gate.passNow(`after ${where}`)
  }
  const before = async <T>(where: string, call: () => Promise<T>): Promise<T> => {
    await gate.pass(`before ${where}`)
    return call()
  }
  const away = { kind: 'unreachable', reason: 'the hub cannot be reached' } as const
  return {
    ...ports,
    repo: {
      ...repo,
      fetch: () => around('fetch', async () => (gate.isConnected() ? repo.fetch() : away)),
      remoteHead: () => around('asking the hub', async () => (gate.isConnected() ? repo.remoteHead() : away)),
      push: (request) =>
        around(`push of ${request.commit.slice(0, 8)}`, async () =>
          gate.isConnected() ? repo.push(request) : { kind: 'unknown', reason: 'the hub cannot be reached' },
        ),
      writeBlob: (bytes) => before('writing a blob', () => repo.writeBlob(bytes)),
      commitTree: (draft) => before('commit', () => repo.commitTree(draft)),
      saveRef: (name, oid) => around(`saving ref ${name}`, () => repo.saveRef(name, oid)),
    },
    workTree: {
      list: () => gatedListing(workTree.list(), gate),
      folders: () => before('listing folders', () => workTree.folders()),
      look: (path) => before(`look at ${path}`, () => workTree.look(path)),
      read: (path, maxBytes) => before(`read of ${path}`, () => workTree.read(path, maxBytes)),
      write: (path, bytes, expected) => around(`write of ${path}`, () => workTree.write(path, bytes, expected)),
      move: (from, to, expected) => around(`move ${from} → ${to}`, () => workTree.move(from, to, expected)),
      respell: (from, to) => around(`spelling ${from} anew`, () => workTree.respell(from, to)),
      remove: (path, expected) => around(`removal of ${path}`, () => workTree.remove(path, expected)),
    },
    store: { ...store, update: (change) => aroundNow('a change of the store', () => store.update(change)) },
    ledger: { append: (type, entry) => around(`ledger entry ${type}`, () => ledger.append(type, entry)) },
    doorbell: {
      ring: (queue, job, payload, options) => around('the bell', () => doorbell.ring(queue, job, payload, options)),
    },
    received: { note: (name) => aroundNow(`noting ${name} as received`, () => received.note(name)) },
    keepInTrash: (path, bytes) => before(`trash for ${path}`, () => ports.keepInTrash(path, bytes)),
    pause: (attempt) => before('the next try', () => ports.pause(attempt)),
    at: async (point) => {
      await gate.pass(`at ${point}`)
      await ports.at(point)
    },
  }
}

/** A listing is no snapshot: what moves between two folders meanwhile is seen twice or not at all. */
async function* gatedListing(listing: AsyncIterable<Listing>, gate: Gate): AsyncIterable<Listing> {
  for await (const one of listing) {
    yield one
    await gate.pass(`listing after ${one.folder}`)
  }
}
