import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { gitRunner } from '#adapters/git/run-git.ts'
import { type ToldPack, toldPacks } from '#adapters/git/told-packs.ts'
import { makeZones, type Zones } from '#tests/support/git-zones.ts'

// What a hub sends unasked is believed as little as what it answers: here it sends whatever it likes.
let zones: Zones
let hub: string
let clone: string
let commits: string[]
const git = (dir: string, args: readonly string[], input?: string | Buffer) =>
  execFileSync('git', ['--git-dir', dir, ...args], { input: input ?? '', stdio: ['pipe', 'pipe', 'ignore'] })
const said = (...args: Parameters<typeof git>) =>
  git(...args)
    .toString()
    .trim()
/** A commit of one file. */
const commitOf = (parent: string | undefined, content: string, mode = '100644') => {
  const blob = said(hub, ['hash-object', '-w', '--stdin'], content)
  const tree = said(hub, ['mktree'], `${mode} blob ${blob}\tfile.md\n`)
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@x.invalid']
  return said(hub, [...who, 'commit-tree', tree, '-m', content.slice(0, 10), ...(parent ? ['-p', parent] : [])])
}
const packOf = (from: string | undefined, to: string | undefined) => ({
  ...{ from, to },
  bytes: git(hub, ['pack-objects', '--revs', '--thin', '--stdout', '-q'], `${to}\n^${from}\n`),
})
/** What comes of these packs in a new clone that knows the first commit, told this head; and whether it has that. */
async function taken(packs: readonly object[], head: string | undefined) {
  clone = join(zones.root, `clone-${randomBytes(4).toString('hex')}.git`)
  git(zones.root, ['init', '-q', '--bare', clone])
  git(clone, ['fetch', '-q', hub, `${commits[0]}:refs/heads/main`])
  const told = toldPacks(gitRunner(clone))
  for (const pack of packs) told.note(pack as ToldPack)
  told.noteHead(head as ToldPack['to'])
  const found = await told.take(commits[0] as ToldPack['from'])
  expect(await told.take(commits[0] as ToldPack['from'])).toBeUndefined()
  return found
}

beforeAll(async () => {
  zones = await makeZones()
  hub = join(zones.root, 'any-hub.git')
  git(zones.root, ['init', '-q', '--bare', hub])
  git(hub, ['config', 'uploadpack.allowAnySHA1InWant', 'true'])
  commits = []
  for (const content of ['one\n', 'one\ntwo\n', 'one\ntwo\nthree\n']) commits.push(commitOf(commits.at(-1), content))
})
afterAll(() => zones[Symbol.dispose]())

it('packs that lead from what is known to the head are taken, one after the other', async () => {
  const [first, second, third] = commits
  expect(await taken([packOf(first, second), packOf(second, third)], third)).toBe(third)
  expect(said(clone, ['show', `${third}:file.md`])).toBe('one\ntwo\nthree')
  expect(said(clone, ['fsck', '--full', '--strict', '--no-dangling'])).toBe('')
})

it('packs of what was known before do no harm', async () => {
  const [first, second] = commits
  expect(await taken([packOf(second, first), packOf(first, second)], second)).toBe(second)
})

it.each([
  ['that begin elsewhere', () => [packOf(commits[1], commits[2])], 2],
  ['with a gap', () => [packOf(commits[0], commits[1])], 2],
  ['that do not hold what they are said to lead to', () => [{ ...packOf(commits[0], commits[1]), to: commits[2] }], 2],
  ['of other bytes', () => [{ ...packOf(commits[0], commits[1]), bytes: randomBytes(500) }], 1],
  [
    'that were cut',
    () => [{ ...packOf(commits[0], commits[1]), bytes: packOf(commits[0], commits[1]).bytes.subarray(0, -25) }],
    1,
  ],
  ['of no bytes', () => [{ ...packOf(commits[0], commits[1]), bytes: Buffer.from('\n') }], 1],
])('packs %s are not taken', async (_what, packs, head) => {
  expect(await taken(packs(), commits[head])).toBeUndefined()
})

it('a pack without the blob is not taken, nor one with a mode that git lets pass otherwise', async () => {
  const [first] = commits
  const hidden = commitOf(first, `${randomBytes(20).toString('hex')}\n`)
  const objects = `${hidden}\n${said(hub, ['rev-parse', `${hidden}^{tree}`])}\n`
  const bytes = git(hub, ['pack-objects', '--stdout', '-q'], objects)
  expect(await taken([{ from: first, to: hidden, bytes }], hidden)).toBeUndefined()
  const odd = commitOf(first, 'odd\n', '100664')
  expect(await taken([packOf(first, odd)], odd)).toBeUndefined()
})

it('nothing is taken that would hang together only with objects that a refused transfer left', async () => {
  const [first, second, third] = commits
  const told = packOf(second, third)
  // The first pack brings the second commit's objects but no way to it; the second builds on them.
  const loose = git(hub, ['pack-objects', '--stdout', '-q'], `${said(hub, ['rev-parse', `${second}^{tree}`])}\n`)
  expect(await taken([{ from: first, to: second, bytes: loose }, told], third)).toBeUndefined()
})

it('no more is kept than has its place in memory, and nothing when the line is gone', async () => {
  const [first, second] = commits
  const told = toldPacks(gitRunner(clone))
  const pack = packOf(first, second) as unknown as ToldPack
  told.note({ ...pack, bytes: Buffer.alloc(5 * 1024 * 1024) })
  told.noteHead(pack.to)
  expect(await told.take(pack.from)).toBeUndefined()
  told.note(pack)
  told.noteHead(pack.to)
  told.forget()
  expect(await told.take(pack.from)).toBeUndefined()
})
