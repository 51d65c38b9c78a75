import { CountersignError } from '#core/errors.ts'
import type { CommitChange, CommitSignature, Oid, RepoPort, SignedCommit, TreeFile } from '#core/ports/repo.ts'
import type { RunGit } from './run-git.ts'

export const EMPTY_BLOB = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391' as Oid
const OID = /^[0-9a-f]{40}$/
const ABSENT = '0'.repeat(40)
/** Checking a signature costs two runs of ssh-keygen (about 15 ms), and the first fetch checks the whole history. */
const LOG_TIMEOUT_MS = 600_000
const READ_TIMEOUT_MS = 60_000
/** Blobs read by one `cat-file` together. */
const BATCH_BYTES = 32 * 1024 * 1024
const LOG_FIELDS = ['%H', '%P', '%G?', '%GF', '%ct', '%B'] as const

export type ObjectReader = Pick<RepoPort, 'commitsBetween' | 'treeOf' | 'readBlob' | 'isAncestor'>

/** Reads commits, trees and blobs. `agentsByFingerprint` names who holds which signing key. */
export function objectReader(run: RunGit, agentsByFingerprint: ReadonlyMap<string, string>): ObjectReader {
  return {
    commitsBetween: (from, to) => readCommits(run, agentsByFingerprint, from, to),
    treeOf: (commit) => readTree(run, commit),
    readBlob: blobReader(run),
    async isAncestor(ancestor, descendant) {
      const { exitCode } = await run(['merge-base', '--is-ancestor', ancestor, descendant], { accept: [0, 1, 128] })
      return exitCode === 0
    },
  }
}

export function asOid(text: string): Oid {
  const oid = text.trim()
  if (OID.test(oid)) return oid as Oid
  throw new CountersignError('ERR_GIT_FAILED', `git gave no object id: ${JSON.stringify(text.slice(0, 100))}`)
}

async function readCommits(
  run: RunGit,
  agents: ReadonlyMap<string, string>,
  from: Oid | null,
  to: Oid,
): Promise<SignedCommit[]> {
  // Without --first-parent: the second parents of a merge must show up, so that the gate sees all that would enter.
  const range = from === null ? [to] : [to, `^${from}`]
  const format = `--format=${LOG_FIELDS.join('%x00')}`
  const log = await run(['log', '-z', '--reverse', '--topo-order', '--no-show-signature', format, ...range, '--'], {
    timeoutMs: LOG_TIMEOUT_MS,
  })
  const fields = log.stdout.toString('utf8').split('\0')
  const commits: Omit<SignedCommit, 'changes'>[] = []
  for (let at = 0; at + LOG_FIELDS.length <= fields.length; at += LOG_FIELDS.length) {
    const [oid = '', parents = '', grade = '', fingerprint = '', seconds = '', message = ''] = fields.slice(at)
    commits.push({
      oid: asOid(oid),
      parents: parents.split(' ').filter(Boolean).map(asOid),
      signature: signatureOf(grade, fingerprint, agents),
      message: message.trimEnd(),
      trailers: trailersOf(message),
      committedAt: Number(seconds) * 1000,
    })
  }
  if (commits.length === 0) return []
  const changes = await readChanges(
    run,
    commits.map((commit) => commit.oid),
  )
  return commits.map((commit) => ({ ...commit, changes: changes.get(commit.oid) ?? [] }))
}

/** `G`: good, by a key of allowed_signers. `U`: good, by another key. `N`: none. The rest (bad, expired, revoked, uncheckable) is bad. */
function signatureOf(grade: string, fingerprint: string, agents: ReadonlyMap<string, string>): CommitSignature {
  if (grade === 'N') return { state: 'unsigned' }
  if (grade !== 'G' && grade !== 'U') return { state: 'bad' }
  const agent = agents.get(fingerprint)
  return grade === 'G' && agent !== undefined
    ? { state: 'good', agent, fingerprint }
    : { state: 'unknown-key', fingerprint }
}

function trailersOf(message: string): Record<string, string> {
  const paragraph =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .slice(1)
      .at(-1) ?? ''
  const pairs = paragraph.split('\n').map((line) => /^([A-Za-z][A-Za-z0-9-]*): (.*)$/.exec(line))
  return pairs.every((pair) => pair !== null)
    ? Object.fromEntries(pairs.map((pair) => [pair[1] ?? '', pair[2] ?? '']))
    : {}
}

async function readChanges(run: RunGit, commits: readonly Oid[]): Promise<Map<Oid, CommitChange[]>> {
  const args = ['diff-tree', '--stdin', '-r', '-z', '--raw', '--root', '--no-renames', '--no-abbrev']
  const { stdout } = await run([...args, '--diff-merges=first-parent'], {
    input: `${commits.join('\n')}\n`,
    timeoutMs: READ_TIMEOUT_MS,
  })
  type RawFile = Omit<TreeFile, 'size'> | undefined
  const raw: { commit: Oid; path: string; before: RawFile; after: RawFile }[] = []
  const tokens = stdout.toString('utf8').split('\0')
  let commit: Oid | undefined
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? ''
    if (!token.startsWith(':')) {
      if (token !== '') commit = asOid(token)
      continue
    }
    const [beforeMode = '', afterMode = '', beforeOid = '', afterOid = ''] = token.slice(1).split(' ')
    const file = (mode: string, oid: string) => (oid === ABSENT ? undefined : { mode, oid: asOid(oid) })
    at += 1
    if (commit === undefined) throw new CountersignError('ERR_GIT_FAILED', 'git diff-tree named a path before a commit')
    raw.push({ commit, path: tokens[at] ?? '', before: file(beforeMode, beforeOid), after: file(afterMode, afterOid) })
  }
  const files = raw.flatMap(({ before, after }) => [before, after].filter((file) => file !== undefined))
  const sizes = await readSizes(
    run,
    files.filter((file) => file.mode !== '160000').map((file) => file.oid),
  )
  const sized = (file: RawFile) => file && { ...file, size: sizes.get(file.oid)?.size ?? 0 }
  const byCommit = new Map<Oid, CommitChange[]>(commits.map((oid) => [oid, []]))
  for (const { commit: oid, path, ...sides } of raw) {
    const before = sized(sides.before)
    const after = sized(sides.after)
    byCommit.get(oid)?.push({ path, ...(before && { before }), ...(after && { after }) })
  }
  return byCommit
}

/** Type and size of objects; absent ones are left out. */
async function readSizes(run: RunGit, oids: readonly Oid[]): Promise<Map<string, { type: string; size: number }>> {
  const unique = [...new Set(oids)]
  if (unique.length === 0) return new Map()
  const { stdout } = await run(['cat-file', '--batch-check'], {
    input: `${unique.join('\n')}\n`,
    timeoutMs: READ_TIMEOUT_MS,
  })
  const found = stdout
    .toString('utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter((words) => words.length === 3)
  return new Map(found.map(([oid = '', type = '', size]) => [oid, { type, size: Number(size) }]))
}

async function readTree(run: RunGit, commit: Oid | null): Promise<Map<string, TreeFile>> {
  const tree = new Map<string, TreeFile>()
  if (commit === null) return tree
  const { stdout } = await run(['ls-tree', '-r', '-z', '-l', '--full-tree', commit], { timeoutMs: READ_TIMEOUT_MS })
  for (const line of stdout.toString('utf8').split('\0')) {
    const entry = /^(\d{6}) \w+ ([0-9a-f]{40}) +(\d+|-)\t(.*)$/s.exec(line)
    if (!entry) continue
    const [, mode = '', oid = '', size = '', path = ''] = entry
    tree.set(path, { mode, oid: asOid(oid), size: size === '-' ? 0 : Number(size) })
  }
  return tree
}

interface Wanted {
  readonly oid: Oid
  readonly maxBytes: number
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (reason: unknown) => void
}

/** Blobs asked for in the same turn of the event loop are read by one `cat-file`. */
function blobReader(run: RunGit): RepoPort['readBlob'] {
  let waiting: Wanted[] = []
  const flush = async () => {
    const batch = waiting
    waiting = []
    try {
      await readBatch(run, batch)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
  return (oid, maxBytes) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void flush())
      waiting.push({ oid, maxBytes, resolve, reject })
    })
}

async function readBatch(run: RunGit, batch: readonly Wanted[]): Promise<void> {
  const sizes = await readSizes(
    run,
    batch.map((one) => one.oid),
  )
  let group: Wanted[] = []
  let groupBytes = 0
  const read = async () => {
    if (group.length > 0) await readContents(run, group)
    group = []
    groupBytes = 0
  }
  for (const one of batch) {
    const found = sizes.get(one.oid)
    if (found?.type !== 'blob') one.reject(unreadable(one.oid, found ? `it is a ${found.type}` : 'it is absent'))
    else if (found.size > one.maxBytes) one.reject(unreadable(one.oid, `${found.size} bytes, over ${one.maxBytes}`))
    else {
      if (groupBytes + found.size > BATCH_BYTES) await read()
      group.push(one)
      groupBytes += found.size
    }
  }
  await read()
}

/** Output of `cat-file --batch`: `<oid> blob <size>\n<bytes>\n`, once for each line of input. */
async function readContents(run: RunGit, group: readonly Wanted[]): Promise<void> {
  const { stdout } = await run(['cat-file', '--batch'], {
    input: `${group.map((one) => one.oid).join('\n')}\n`,
    timeoutMs: READ_TIMEOUT_MS,
  })
  let at = 0
  for (const { oid, resolve, reject } of group) {
    const lineEnd = stdout.indexOf(0x0a, at)
    const [name, type, size] = stdout.toString('latin1', at, lineEnd).split(' ')
    if (lineEnd < 0 || name !== oid || type !== 'blob') return reject(unreadable(oid, 'cat-file stopped early'))
    const start = lineEnd + 1
    at = start + Number(size) + 1
    // A copy: a view would keep the whole batch in memory.
    resolve(new Uint8Array(stdout.subarray(start, at - 1)))
  }
}

function unreadable(oid: Oid, why: string) {
  return new CountersignError('ERR_GIT_FAILED', `reading blob ${oid}: ${why}`)
}
