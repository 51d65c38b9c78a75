import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Oid, RepoPort } from '#core/ports/repo.ts'

/** One hub without a hook, and clones of it. */
export interface RepoWorld extends AsyncDisposable {
  clone(agent: 'cloud' | 'local'): Promise<RepoPort>
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** What every RepoPort promises the sync engine. */
export function repoContract(name: string, openWorld: () => Promise<RepoWorld>): void {
  describe(`a repository (${name})`, () => {
    let world: RepoWorld
    let cloud: RepoPort
    let local: RepoPort
    beforeEach(async () => {
      world = await openWorld()
      cloud = await world.clone('cloud')
      local = await world.clone('local')
    })
    afterEach(() => world[Symbol.asyncDispose]())

    /** A commit on `parent`; unique, because claims of one second must differ. */
    const commit = async (repo: RepoPort, parent: Oid | null, files: Record<string, string | null>) => {
      const changes = await Promise.all(
        Object.entries(files).map(async ([path, text]) => ({
          path,
          oid: text === null ? null : await repo.writeBlob(bytes(text)),
        })),
      )
      const trailers = { Nonce: randomBytes(16).toString('hex'), HLC: '1-0-cloud' }
      return repo.commitTree({ parent, changes, message: 'a change\n\nwith a reason', trailers })
    }
    const landed = async (repo: RepoPort, expected: Oid | null, files: Record<string, string | null>) => {
      const oid = await commit(repo, expected, files)
      expect(await repo.push({ commit: oid, expected })).toEqual({ kind: 'landed' })
      return oid
    }

    it('starts with an empty hub', async () => {
      expect(await cloud.head()).toBeNull()
      expect(await cloud.fetch()).toEqual({ kind: 'ok', head: null })
      expect(await cloud.remoteHead()).toEqual({ kind: 'ok', head: null })
      expect(await cloud.treeOf(null)).toEqual(new Map())
    })

    it('stores bytes as they are, once', async () => {
      const blob = await cloud.writeBlob(new Uint8Array([0, 13, 10, 255]))
      expect(await cloud.writeBlob(new Uint8Array([0, 13, 10, 255]))).toBe(blob)
      expect(Buffer.from(await cloud.readBlob(blob, 4))).toEqual(Buffer.from([0, 13, 10, 255]))
      expect(await cloud.writeBlob(new Uint8Array())).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391')
      await expect(cloud.readBlob(blob, 3)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
      await expect(cloud.readBlob('1'.repeat(40) as Oid, 3)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
    })

    it('carries a commit with its files, trailers and signer to another clone', async () => {
      const first = await landed(cloud, null, { 'Plans/a.md': 'one', 'Plans/b.md': 'two' })
      const second = await landed(cloud, first, { 'Plans/a.md': null, 'Plans/c.md': 'three' })
      expect(await local.remoteHead()).toEqual({ kind: 'ok', head: second })
      expect(await local.head()).toBeNull()
      expect(await local.fetch()).toEqual({ kind: 'ok', head: second })
      expect(await local.head()).toBe(second)
      const tree = await local.treeOf(second)
      expect([...tree.keys()].sort()).toEqual(['Plans/b.md', 'Plans/c.md'])
      expect(tree.get('Plans/c.md')).toMatchObject({ mode: '100644', size: 5 })
      const commits = await local.commitsBetween(null, second)
      expect(commits.map((one) => one.oid)).toEqual([first, second])
      const [, last] = commits
      expect(last?.parents).toEqual([first])
      expect(last?.signature).toMatchObject({ state: 'good', agent: 'cloud' })
      expect(last?.trailers).toMatchObject({ HLC: '1-0-cloud', Nonce: expect.stringMatching(/^[0-9a-f]{32}$/) })
      expect(last?.message).toMatch(/^a change\n\nwith a reason\n\nNonce: /)
      expect(last?.changes.map(({ path, before, after }) => [path, !!before, !!after])).toEqual([
        ['Plans/a.md', true, false],
        ['Plans/c.md', false, true],
      ])
      expect(await local.commitsBetween(first, second)).toHaveLength(1)
      expect(await local.commitsBetween(second, second)).toEqual([])
    })

    it('lets one of two racing pushes land and tells the other', async () => {
      const first = await landed(cloud, null, { 'Plans/a.md': 'one' })
      await local.fetch()
      const mine = await commit(cloud, first, { 'Plans/a.md': 'cloud' })
      const yours = await commit(local, first, { 'Plans/a.md': 'local' })
      expect(await local.push({ commit: yours, expected: first })).toEqual({ kind: 'landed' })
      expect(await cloud.push({ commit: mine, expected: first })).toMatchObject({ kind: 'rejected', cause: 'raced' })
      expect(await cloud.fetch()).toEqual({ kind: 'ok', head: yours })
    })

    it('lets one of two racing first commits land', async () => {
      const mine = await commit(cloud, null, { 'Plans/a.md': 'cloud' })
      const yours = await commit(local, null, { 'Plans/a.md': 'local' })
      expect(await local.push({ commit: yours, expected: null })).toEqual({ kind: 'landed' })
      expect(await cloud.push({ commit: mine, expected: null })).toMatchObject({ kind: 'rejected', cause: 'raced' })
    })

    it('does not call a push won whose commit the hub had already', async () => {
      const first = await landed(cloud, null, { 'Plans/a.md': 'one' })
      const second = await landed(cloud, first, { 'Plans/a.md': 'two' })
      expect((await cloud.push({ commit: second, expected: first })).kind).not.toBe('landed')
    })

    it('refuses to push what does not descend from the expected head', async () => {
      const first = await landed(cloud, null, { 'Plans/a.md': 'one' })
      const stray = await commit(cloud, null, { 'Plans/a.md': 'stray' })
      await expect(cloud.push({ commit: stray, expected: first })).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
    })

    it('knows ancestors, and no stranger as one', async () => {
      const first = await landed(cloud, null, { 'Plans/a.md': 'one' })
      const second = await landed(cloud, first, { 'Plans/a.md': 'two' })
      expect(await cloud.isAncestor(first, second)).toBe(true)
      expect(await cloud.isAncestor(second, second)).toBe(true)
      expect(await cloud.isAncestor(second, first)).toBe(false)
      expect(await cloud.isAncestor('1'.repeat(40) as Oid, first)).toBe(false)
    })

    it('keeps refs of its own', async () => {
      const first = await landed(cloud, null, { 'Plans/a.md': 'one' })
      expect(await cloud.readRef('verified')).toBeNull()
      await cloud.saveRef('verified', first)
      expect(await cloud.readRef('verified')).toBe(first)
      expect(await local.readRef('verified')).toBeNull()
      await cloud.saveRef('verified', null)
      expect(await cloud.readRef('verified')).toBeNull()
    })
  })
}
