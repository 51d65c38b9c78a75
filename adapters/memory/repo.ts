import { createHash } from 'node:crypto'
import { blobIdOf } from '#core/blob-id.ts'
import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import type {
  CommitChange,
  FetchOutcome,
  Oid,
  PushOutcome,
  RepoPort,
  SignedCommit,
  TreeFile,
} from '#core/ports/repo.ts'

/** What becomes of the next push: `lost-answer` lands unheard, `lost-push` never arrives, `late` may land after all. */
export type PushFate = 'ok' | 'lost-answer' | 'lost-push' | 'late' | 'refused'

interface StoredCommit extends Omit<SignedCommit, 'changes'> {
  readonly tree: ReadonlyMap<string, TreeFile>
}

/** A hub in memory. Its objects are those of all clones; each clone sees what it made or fetched. Tests set its faults. */
export interface MemoryHub {
  head: Oid | null
  isOffline: boolean
  /** Most hubs refuse to be put back. */
  allowsReset: boolean
  pushFate: (agent: string) => PushFate
  /** Pushes on their way whose pusher waits no more. */
  readonly late: PushRequest[]
  readonly commits: Map<Oid, StoredCommit>
  readonly blobs: Map<Oid, Uint8Array>
  /** A late push arrives; it lands if the head is still what it expects. */
  deliver(request: PushRequest): void
  /** The files at the head, as text. */
  files(): Map<string, string>
}

export interface MemoryRepo extends RepoPort {
  /** As when the clone's folder is deleted: objects, refs and what was fetched. */
  lose(): void
}

type PushRequest = Parameters<RepoPort['push']>[0]

export function memoryHub(): MemoryHub {
  const hub: MemoryHub = {
    head: null,
    isOffline: false,
    allowsReset: false,
    pushFate: () => 'ok',
    late: [],
    commits: new Map(),
    blobs: new Map(),
    deliver(request) {
      hub.late.splice(hub.late.indexOf(request), 1)
      if (hub.head === request.expected) hub.head = request.commit
    },
    files() {
      const tree = hub.head ? hub.commits.get(hub.head)?.tree : undefined
      return new Map(
        [...(tree ?? [])].map(([path, { oid }]) => [path, Buffer.from(hub.blobs.get(oid) ?? []).toString('utf8')]),
      )
    },
  }
  return hub
}

/** A clone of the hub in memory, held to the contract of the git one. Signatures are taken for granted. */
export function memoryRepo(hub: MemoryHub, agent: string, clock: Clock): MemoryRepo {
  const refs = new Map<string, Oid>()
  const objects = new Set<Oid>()
  let head: Oid | null = null
  const answer = (): FetchOutcome =>
    hub.isOffline ? { kind: 'unreachable', reason: 'the hub is offline' } : { kind: 'ok', head: hub.head }
  const commitAt = (oid: Oid): StoredCommit => {
    const commit = objects.has(oid) && hub.commits.get(oid)
    if (!commit) throw failed(`no commit ${oid}`)
    return commit
  }
  const blobAt = (oid: Oid): Uint8Array => {
    const bytes = objects.has(oid) && hub.blobs.get(oid)
    if (!bytes) throw failed(`reading blob ${oid}: it is absent`)
    return bytes
  }
  const isAncestor = (ancestor: Oid, descendant: Oid): boolean => {
    for (let at: Oid | undefined = descendant; at && objects.has(at); at = hub.commits.get(at)?.parents[0])
      if (at === ancestor) return true
    return false
  }
  return {
    agent,
    async fetch() {
      const outcome = answer()
      if (outcome.kind === 'ok') head = outcome.head
      bringObjects(hub, head, objects)
      return outcome
    },
    watch: () => undefined,
    tidy: async () => {},
    remoteHead: async () => answer(),
    async push(request) {
      if (request.expected !== null && !isAncestor(request.expected, request.commit))
        throw failed(`pushing ${request.commit}: it does not descend from ${request.expected}`)
      return push(hub, agent, request)
    },
    async resetHub({ to, expected }) {
      if (hub.isOffline) return { kind: 'unknown', reason: 'the hub is offline' }
      if (!hub.allowsReset) return { kind: 'rejected', cause: 'refused', reason: 'non-fast-forward' }
      if (hub.head !== expected) return { kind: 'rejected', cause: 'raced', reason: 'stale info' }
      hub.head = to
      return { kind: 'landed' }
    },
    head: async () => head,
    async commitsBetween(from, to) {
      const commits: SignedCommit[] = []
      for (let at: Oid | null = to; at !== null && at !== from; at = commitAt(at).parents[0] ?? null) {
        if (from !== null && isAncestor(at, from)) break
        const commit = commitAt(at)
        const parent = commit.parents[0]
        commits.unshift(withChanges(commit, parent ? commitAt(parent).tree : new Map()))
      }
      return commits
    },
    isAncestor: async (ancestor, descendant) => isAncestor(ancestor, descendant),
    treeOf: async (commit) => new Map(commit === null ? [] : commitAt(commit).tree),
    async readBlob(oid, maxBytes) {
      const bytes = blobAt(oid)
      if (bytes.length > maxBytes) throw failed(`reading blob ${oid}: ${bytes.length} bytes, over ${maxBytes}`)
      return bytes
    },
    async writeBlob(bytes) {
      const oid = blobIdOf(bytes)
      hub.blobs.set(oid, Uint8Array.from(bytes))
      objects.add(oid)
      return oid
    },
    async commitTree({ parent, changes, message, trailers = {} }) {
      const tree = new Map(parent === null ? [] : commitAt(parent).tree)
      for (const { path, oid } of changes) {
        if (oid === null) tree.delete(path)
        else tree.set(path, { mode: '100644', oid, size: blobAt(oid).length })
      }
      const lines = Object.entries(trailers).map(([key, value]) => `${key}: ${value}`)
      const text = lines.length > 0 ? `${message}\n\n${lines.join('\n')}` : message
      const committedAt = Math.trunc(clock.now() / 1000) * 1000
      const oid = sha1(JSON.stringify({ parent, tree: [...tree].sort(), text, committedAt, agent }))
      const signature = { state: 'good', agent, fingerprint: `memory:${agent}` } as const
      const parents = parent === null ? [] : [parent]
      hub.commits.set(oid, { oid, parents, signature, message: text, trailers, committedAt, tree })
      objects.add(oid)
      return oid
    },
    checkObjects: async () =>
      [...refs].filter(([, oid]) => !objects.has(oid)).map(([name]) => `missing what ${name} names`),
    async saveRef(name, oid) {
      if (oid === null) refs.delete(name)
      else refs.set(name, oid)
    },
    async keepBlobs(blobs) {
      for (const oid of blobs.values()) blobAt(oid)
      for (const name of refs.keys()) if (name.startsWith('lost/')) refs.delete(name)
      for (const [name, oid] of blobs) refs.set(`lost/${name}`, oid)
    },
    readRef: async (name) => refs.get(name) ?? null,
    lose() {
      refs.clear()
      objects.clear()
      head = null
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Everything that is reachable from `head` and not here yet. */
function bringObjects(hub: MemoryHub, head: Oid | null, objects: Set<Oid>): void {
  for (let at = head; at !== null && !objects.has(at); ) {
    const commit = hub.commits.get(at)
    objects.add(at)
    for (const { oid } of commit?.tree.values() ?? []) objects.add(oid)
    at = commit?.parents[0] ?? null
  }
}

function push(hub: MemoryHub, agent: string, request: PushRequest): PushOutcome {
  if (hub.isOffline) return { kind: 'unknown', reason: 'the hub is offline' }
  const fate = hub.pushFate(agent)
  if (fate === 'late') hub.late.push(request)
  if (fate === 'late' || fate === 'lost-push') return { kind: 'unknown', reason: 'the connection broke' }
  if (fate === 'refused') return { kind: 'rejected', cause: 'refused', reason: 'countersign: refused by the test' }
  const { commit, expected } = request
  // As git: pushing what is there already says nothing about whose push put it there.
  if (hub.head === commit) return { kind: 'unknown', reason: 'the hub had this commit already' }
  if (hub.head !== expected) return { kind: 'rejected', cause: 'raced', reason: 'stale info' }
  hub.head = commit
  return fate === 'ok' ? { kind: 'landed' } : { kind: 'unknown', reason: 'the connection broke' }
}

function withChanges({ tree, ...commit }: StoredCommit, before: ReadonlyMap<string, TreeFile>): SignedCommit {
  const changes: CommitChange[] = []
  for (const path of [...new Set([...before.keys(), ...tree.keys()])].sort()) {
    const was = before.get(path)
    const is = tree.get(path)
    if (was?.oid !== is?.oid) changes.push({ path, ...(was && { before: was }), ...(is && { after: is }) })
  }
  return { ...commit, changes }
}

function sha1(content: string | Uint8Array): Oid {
  return createHash('sha1').update(content).digest('hex') as Oid
}

function failed(message: string): CountersignError {
  return new CountersignError('ERR_GIT_FAILED', message)
}
