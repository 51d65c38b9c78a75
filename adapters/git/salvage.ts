import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Oid } from '#core/ports/repo.ts'
import { initBare } from './init-bare.ts'
import { gitRunner, type RunGit } from './run-git.ts'

export interface Salvaged {
  /** What the hub has as its head; null when that could not be found out. */
  readonly head: Oid | null
  /** The newest commit before the first one that git's checks refuse; null when there is none that is new. */
  readonly good: Oid | null
}

interface Salvage {
  readonly run: RunGit
  readonly gitDir: string
  /** The clone's settings. */
  readonly settings: Readonly<Record<string, string>>
  /** The hub's head as it was fetched last. */
  readonly known: Oid | null
  readonly timeoutMs: number
}

const BRANCH = 'refs/heads/main'
const FETCH = ['fetch', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--no-write-fetch-head']

/**
 * After git's own checks have refused what the hub sent: takes the longest part of its history that they accept. All of
 * it is kept in a repository of its own, `quarantine.git`, which nothing reads but this and whoever looks into it.
 */
export async function salvage({ run, gitDir, settings, known, timeoutMs }: Salvage): Promise<Salvaged> {
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
    () => false, // Too broken even for that, or away by now: then nothing is salvaged this time.
  )
  if (!isFetched) return { head: null, good: null }
  const commits = await newCommits(runApart, known)
  const isAccepted = async (commit: Oid) => {
    const { exitCode } = await run([...FETCH, apart, commit], { timeoutMs, accept: 'any' })
    return exitCode === 0
  }
  return { head: commits.at(-1) ?? null, good: await lastAccepted(commits, isAccepted) }
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
