import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Oid } from '#core/ports/repo.ts'
import { Attacker, type HostileFile } from '#tests/support/git-attacker.ts'
import { commitFiles, makeHub, makeZones, openClone, type Zones } from '#tests/support/git-zones.ts'

let zones: Zones
let first: Oid
let attacker: Attacker

beforeAll(async () => {
  zones = await makeZones()
  const hub = await makeHub(zones)
  await using local = await openClone(zones, 'local', hub)
  first = await commitFiles(local, null, { 'Dashboard.md': 'x\n' })
  expect(await local.push({ commit: first, expected: null })).toEqual({ kind: 'landed' })
  attacker = new Attacker(zones, hub)
})
afterAll(() => zones[Symbol.dispose]())

const note = (number: number) => `Updates/cloud/01K9ZZZZZZZZZZZZZZZZ${String(number).padStart(6, '0')}.md`
const commit = (parent: Oid, files: Record<string, HostileFile>) =>
  attacker.commit({ parents: [parent], files, signer: 'cloud' })
/** A line of honest commits, the oldest first. */
function honest(parent: Oid, count: number): Oid[] {
  const line = [parent]
  for (let number = 0; number < count; number++)
    line.push(commit(line.at(-1) as Oid, { [note(number)]: `${number}\n` }))
  return line.slice(1)
}
/** The attacker's repository as the hub. */
const serve = (head: Oid) => attacker.git(['update-ref', 'refs/heads/main', head])

it.each([0, 1, 2, 7])('what stands before objects that git refuses is fetched: %d commits', async (count) => {
  serve(first)
  await using local = await openClone(zones, 'local', attacker.dir)
  expect(await local.fetch()).toEqual({ kind: 'ok', head: first })
  const line = honest(first, count)
  const bad = commit(line.at(-1) ?? first, { 'Plans/.git/config': 'x\n' })
  serve(commit(bad, { [note(900)]: 'built on it\n' }))
  const fetched = await local.fetch()
  expect(fetched).toMatchObject({ kind: 'refused', good: line.at(-1) ?? null, head: expect.any(String) })
  expect((await local.commitsBetween(first, line.at(-1) ?? first)).map((one) => one.oid)).toEqual(line)
  expect(await local.fetch()).toEqual(fetched)
  // Refused objects are nowhere but apart.
  await expect(local.treeOf(bad)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
})

it('a first fetch takes what stands before them as well', async () => {
  const line = honest(first, 3)
  serve(commit(line.at(-1) as Oid, { 'Plans/../x.md': 'x\n' }))
  await using local = await openClone(zones, 'local', attacker.dir)
  expect(await local.fetch()).toMatchObject({ kind: 'refused', good: line.at(-1) })
})

it('when the hub is put right, fetching goes on', async () => {
  serve(first)
  await using local = await openClone(zones, 'local', attacker.dir)
  await local.fetch()
  const [good] = honest(first, 1) as [Oid]
  serve(commit(good, { '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = -u./x\n' }))
  expect(await local.fetch()).toMatchObject({ kind: 'refused', good })
  serve(good)
  expect(await local.fetch()).toEqual({ kind: 'ok', head: good })
})

it('the refused objects can be looked at in a repository of their own', async () => {
  serve(first)
  const gitDir = join(attacker.dir, '..', 'clone.git')
  await using local = await openClone(zones, 'local', attacker.dir, { gitDir })
  await local.fetch()
  const bad = commit(first, { 'Plans/.git/config': '[core]\n' })
  serve(bad)
  expect(await local.fetch()).toMatchObject({ kind: 'refused', head: bad, good: null })
  const shown = execFileSync('git', [
    '--git-dir',
    join(gitDir, 'quarantine.git'),
    'ls-tree',
    '-r',
    '--name-only',
    'main',
  ])
  expect(shown.toString()).toContain('Plans/.git/config')
})
