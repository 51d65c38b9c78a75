import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FetchOutcome, Oid } from '#core/ports/repo.ts'
import { initBare } from './init-bare.ts'
import { gitRunner, type RunGit } from './run-git.ts'

interface Salvage {
  readonly run: RunGit
  readonly gitDir: string
  /** The clone's settings. */
  readonly settings: Readonly<Record<string, string>>
  /** The hub's head as it was fetched last. */
  readonly known: Oid | null
  readonly timeoutMs: number
}

/** What this git says of objects that its checks refuse, and of a hub that left out some. */
const BAD =
  /^(?:error|fatal): .*(?:error in object|fsck error|bad object|is a \w+, not a \w+|did not send all necessary)/m
/** It says this, too, when the connection breaks off. */
const BROKEN_OFF = /index-pack|unpack-objects/
const BRANCH = 'refs/heads/main'
const FETCH = ['fetch', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--no-write-fetch-head']

/** Whether a fetch may have failed because of what the hub sent. */
export function mayBeBad(stderr: string): boolean {
  return BAD.test(stderr) || BROKEN_OFF.test(stderr)
}

/**
 * After git's own checks have refused what the hub sent: takes the longest part of its history that they accept. All of
 * it is kept in a repository of its own, `quarantine.git`, which nothing reads but this and whoever looks into it.
 */
export async function salvage(
  reason: string,
  { run, gitDir, settings, known, timeoutMs }: Salvage,
): Promise<FetchOutcome> {
  const apart = join(gitDir, 'quarantine.git')
  const runApart = gitRunner(apart)
  await initBare(runApart, apart, {
    ...settings,
    'fetch.fsckObjects': 'false',
    'transfer.fsckObjects': 'false',
    'uploadpack.allowAnySHA1InWant': 'true',
  })
  mkdirSync(join(apart, 'objects', 'info'), { recursive: true })
  writeFileSync(join(apart, 'objects', 'info', 'alternates'), `${join(gitDir, 'objects')}\n`)
  const fetching = runApart([...FETCH, 'hub', `+${BRANCH}:${BRANCH}`], { timeoutMs })
  const isFetched = await fetching.then(
    () => true,
    () => false, // Too broken even for that, or away by now.
  )
  if (!isFetched)
    return BAD.test(reason) ? { kind: 'refused', reason, head: null, good: null } : { kind: 'unreachable', reason }
  const commits = await newCommits(runApart, known)
  const good = await lastAccepted(commits, async (commit) => {
    const { exitCode } = await run([...FETCH, apart, commit], { timeoutMs, accept: 'any' })
    return exitCode === 0
  })
  const head = commits.at(-1) ?? null
  // All of it is good after all: the connection had broken off.
  return head !== null && good === head ? { kind: 'unreachable', reason } : { kind: 'refused', reason, head, good }
}

/** Along first parents, oldest first. */
async function newCommits(run: RunGit, known: Oid | null): Promise<Oid[]> {
  const range = known === null ? [BRANCH] : [BRANCH, `^${known}`]
  const listed = await run(['rev-list', '--first-parent', '--reverse', ...range, '--'], { accept: 'any' })
  return listed.exitCode === 0 ? (listed.stdout.toString('latin1').split('\n').filter(Boolean) as Oid[]) : []
}

/** What builds on a refused commit is refused with it, so that halving finds the first. */
async function lastAccepted(commits: readonly Oid[], isAccepted: (commit: Oid) => Promise<boolean>) {
  let good: Oid | null = null
  for (let [from, to] = [0, commits.length]; from < to; ) {
    const middle = (from + to) >> 1
    const commit = commits[middle] as Oid
    if (await isAccepted(commit)) [good, from] = [commit, middle + 1]
    else to = middle
  }
  return good
}
