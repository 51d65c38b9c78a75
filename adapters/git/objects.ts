import { CountersignError } from '#core/errors.ts'
import type { CommitChange, Oid, RepoPort, SignedCommit, TreeFile } from '#core/ports/repo.ts'
import { parseCommit, type ReadCommit, unreadCommit } from './commits.ts'
import type { ObjectSource } from './object-source.ts'
import type { RunGit } from './run-git.ts'
import { diffTrees, parseTree, type ReadTree } from './trees.ts'

const OID = /^[0-9a-f]{40}$/
const ABSENT = '0'.repeat(40)
const READ_TIMEOUT_MS = 60_000
/** Up to this many commits are walked one by one; of a longer history git is asked at once. */
const MAX_WALK = 50
/** A longer commit is no honest one: it is not read, and counts as badly signed. */
const MAX_COMMIT_OBJECT = 64 * 1024
const NO_FILE = '000000'
const MAX_TREE_OBJECT = 32 * 1024 * 1024

export type ObjectReader = Pick<RepoPort, 'commitsBetween' | 'treeOf' | 'readBlob' | 'isAncestor'> & {
  readonly readTree: ReadTree
  readonly readCommit: (oid: Oid) => Promise<ReadCommit>
  /** How many commits `commitsBetween` would read. */
  readonly countBetween: (from: Oid | null, to: Oid) => Promise<number>
}

/** Reads commits, trees and blobs. `agentsByFingerprint` names who holds which signing key. */
export function objectReader(
  run: RunGit,
  source: ObjectSource,
  agentsByFingerprint: ReadonlyMap<string, string>,
): ObjectReader {
  const readTree: ReadTree = async (oid) => parseTree(await source.read(oid, 'tree', MAX_TREE_OBJECT))
  const readCommit = async (oid: Oid) =>
    parseCommit(oid, await source.read(oid, 'commit', MAX_COMMIT_OBJECT), agentsByFingerprint)
  const walk = walker(readCommit)
  return {
    readTree,
    readCommit,
    async commitsBetween(from, to) {
      const near = await walk(from, to)
      if (near) return withChanges(near, readTree, readCommit, source)
      return readHistory(run, { from, to }, readCommit, source)
    },
    async countBetween(from, to) {
      const near = from && (await walk(from, to))
      if (near) return near.length
      return Number((await run(['rev-list', '--count', to, ...(from ? [`^${from}`] : []), '--'])).stdout.toString())
    },
    treeOf: (commit) => readFiles(run, commit),
    readBlob: (oid, maxBytes) => source.read(oid, 'blob', maxBytes),
    async isAncestor(ancestor, descendant) {
      if (ancestor === descendant || (await walk(ancestor, descendant))) return true
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

/**
 * The short line of commits from `from` (not with it) to `to`, oldest first. Undefined when it is long, not all here, or
 * no line: then git has to be asked.
 */
function walker(
  readCommit: (oid: Oid) => Promise<ReadCommit>,
): (from: Oid | null, to: Oid) => Promise<ReadCommit[] | undefined> {
  return async (from, to) => {
    const commits: ReadCommit[] = []
    for (let at: Oid | null = to; at !== from; ) {
      if (at === null || commits.length === MAX_WALK) return undefined
      const commit: ReadCommit | undefined = await readCommit(at).catch(() => undefined) // git says what is wrong
      if (!commit || commit.parents.length > 1) return undefined
      commits.unshift(commit)
      at = commit.parents[0] ?? null
    }
    return commits
  }
}

async function withChanges(
  commits: readonly ReadCommit[],
  readTree: ReadTree,
  readCommit: (oid: Oid) => Promise<ReadCommit>,
  source: ObjectSource,
): Promise<SignedCommit[]> {
  let before = commits[0]?.parents[0] ? (await readCommit(commits[0].parents[0])).tree : null
  const raw: RawChange[] = []
  for (const { oid, tree } of commits) {
    for (const change of await diffTrees(before, tree, readTree)) raw.push({ commit: oid, ...change })
    before = tree
  }
  return joined(commits, await sized(raw, source.sizes))
}

/** A long history at once: the ids, and what each commit changes, from a run of git each. */
async function readHistory(
  run: RunGit,
  { from, to }: { readonly from: Oid | null; readonly to: Oid },
  readCommit: (oid: Oid) => Promise<ReadCommit>,
  source: ObjectSource,
): Promise<SignedCommit[]> {
  // Without --first-parent: the second parents of a merge must show up, so that the gate sees all that would enter.
  const range = from === null ? [to] : [to, `^${from}`]
  const args = ['rev-list', '--reverse', '--topo-order', '--parents', ...range, '--']
  const list = await run(args, { timeoutMs: READ_TIMEOUT_MS })
  const lines = list.stdout.toString('utf8').split('\n').filter(Boolean)
  const family = lines.map((line) => line.split(' ').map(asOid) as [Oid, ...Oid[]])
  const oids = family.map(([oid]) => oid)
  if (oids.length === 0) return []
  const sizes = await source.sizes(oids)
  const commits = await Promise.all(
    family.map(([oid, ...parents]) =>
      (sizes.get(oid)?.size ?? 0) > MAX_COMMIT_OBJECT ? unreadCommit(oid, parents) : readCommit(oid),
    ),
  )
  return joined(commits, await sized(await readChanges(run, oids), source.sizes))
}

function joined(
  commits: readonly ReadCommit[],
  changes: readonly ({ readonly commit: Oid } & CommitChange)[],
): SignedCommit[] {
  const byCommit = Map.groupBy(changes, ({ commit }) => commit)
  return commits.map((commit) => ({
    ...commit,
    changes: (byCommit.get(commit.oid) ?? []).map(({ commit: _, ...change }) => change),
  }))
}

type RawFile = Omit<TreeFile, 'size'>

interface RawChange {
  readonly commit: Oid
  readonly path: string
  readonly before?: RawFile | undefined
  readonly after?: RawFile | undefined
}

async function sized(
  raw: readonly RawChange[],
  sizesOf: ObjectSource['sizes'],
): Promise<({ readonly commit: Oid } & CommitChange)[]> {
  const files = raw.flatMap(({ before, after }) => [before, after].filter((file) => file !== undefined))
  const sizes = await sizesOf(files.filter((file) => file.mode !== '160000').map((file) => file.oid))
  const withSize = ({ mode, oid }: RawFile): TreeFile => {
    const { type, size } = sizes.get(oid) ?? { type: 'blob', size: 0 }
    // An entry says what it is, and its object may be something else.
    return { mode: type === 'blob' ? mode : NO_FILE, oid, size }
  }
  return raw.map(({ commit, path, before, after }) => ({
    ...{ commit, path },
    ...(before && { before: withSize(before) }),
    ...(after && { after: withSize(after) }),
  }))
}

async function readChanges(run: RunGit, commits: readonly Oid[]): Promise<RawChange[]> {
  const args = ['diff-tree', '--stdin', '-r', '-z', '--raw', '--root', '--no-renames', '--no-abbrev']
  const { stdout } = await run([...args, '--diff-merges=first-parent'], {
    input: `${commits.join('\n')}\n`,
    timeoutMs: READ_TIMEOUT_MS,
  })
  const raw: RawChange[] = []
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
  return raw
}

async function readFiles(run: RunGit, commit: Oid | null): Promise<Map<string, TreeFile>> {
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
