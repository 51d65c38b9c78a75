import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Oid } from '#core/ports/repo.ts'
import { type LooseObjects, looseObjects } from './loose-objects.ts'
import { changeTree, diffTrees, formatTree, parseTree, type Tree } from './trees.ts'

// Git is the judge: what is written here it must read, and call by the same name.
let dir: string
let loose: LooseObjects
const git = (args: readonly string[], input?: string) =>
  execFileSync('git', ['--git-dir', dir, ...args], { encoding: 'utf8', ...(input !== undefined && { input }) }).trim()
const read = async (oid: Oid) => parseTree((await loose.read(oid, 1_000_000))?.bytes as Buffer)
const write = (tree: Tree) => loose.write('tree', formatTree(tree))
const files = (tree: Oid) => git(['ls-tree', '-r', '-z', '--name-only', tree]).split('\0').filter(Boolean)

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'objects-'))
  execFileSync('git', ['init', '--quiet', '--bare', dir])
  loose = looseObjects([join(dir, 'objects')])
})
afterAll(() => rmSync(dir, { recursive: true }))

/** The tree of these files, all with the same bytes. */
async function treeOf(paths: readonly string[]): Promise<Oid> {
  const oid = await loose.write('blob', Buffer.from('x'))
  return changeTree(
    null,
    paths.map((path) => ({ path, oid })),
    { read, write },
  )
}

describe('a loose object', () => {
  it.each([
    ['blob', ''],
    ['blob', 'a\0b\r\n'],
    ['blob', 'ä'.repeat(100_000)],
  ] as const)('of type %s is git’s', async (type, text) => {
    const oid = await loose.write(type, Buffer.from(text))
    expect(execFileSync('git', ['--git-dir', dir, 'cat-file', type, oid], { maxBuffer: 1e7 }).toString()).toBe(text)
    expect(await loose.size(oid)).toEqual({ type, size: Buffer.byteLength(text) })
    expect((await loose.read(oid, 1_000_000))?.bytes.toString()).toBe(text)
  })

  it('that git wrote is read', async () => {
    const oid = git(['hash-object', '-w', '--stdin'], 'from git') as Oid
    expect((await loose.read(oid, 100))?.bytes.toString()).toBe('from git')
    expect(await loose.read('1'.repeat(40) as Oid, 100)).toBeUndefined()
  })

  it('is not read when it is too long, or not what its name says', async () => {
    const [one, two] = [
      await loose.write('blob', Buffer.from('y'.repeat(500))),
      await loose.write('blob', Buffer.from('two')),
    ]
    await expect(loose.read(one, 100)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
    const fileOf = (oid: Oid) => join(dir, 'objects', oid.slice(0, 2), oid.slice(2))
    const bytes = execFileSync('cat', [fileOf(one)])
    rmSync(fileOf(two), { force: true })
    writeFileSync(fileOf(two), bytes)
    await expect(loose.read(two, 1_000)).rejects.toMatchObject({ details: { damaged: true } })
    rmSync(fileOf(two), { force: true })
    writeFileSync(fileOf(two), '')
    await expect(loose.read(two, 1_000)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
    rmSync(fileOf(two), { force: true })
  })
})

describe('a tree', () => {
  const PATHS = [
    'Inbox/b.md',
    'Inbox/ä.md',
    'Inbox.md',
    'Inbox-a/x.md',
    'Done/2026-11/one.md',
    'Done/2026-11/two.md',
    'a',
  ]

  it('is written in git’s order', async () => {
    const tree = await treeOf(PATHS)
    expect(() => git(['fsck', '--strict', tree])).not.toThrow()
    expect(files(tree).toSorted()).toEqual([...PATHS].sort())
    expect(git(['mktree', '--missing'], `${git(['ls-tree', tree])}\n`)).toBe(tree)
  })

  it('loses a folder with its last file, and turns a file into a folder', async () => {
    const tree = await treeOf(['Done/2026-11/one.md', 'Plans/a.md', 'x'])
    const oid = await loose.write('blob', Buffer.from('x'))
    const changes = [
      { path: 'Done/2026-11/one.md', oid: null },
      { path: 'x', oid: null },
      { path: 'x/y.md', oid },
    ]
    const changed = await changeTree(tree, changes, { read, write })
    expect(files(changed).toSorted()).toEqual(['Plans/a.md', 'x/y.md'])
    expect(await changeTree(changed, [{ path: 'none/such.md', oid: null }], { read, write })).toBe(changed)
  })

  it('differs from another where git says so', async () => {
    const [one, two] = [
      await treeOf(PATHS),
      await treeOf(['Inbox/b.md', 'Inbox.md/now-a-folder.md', 'Plans/c.md', 'a']),
    ]
    const found = await diffTrees(one, two, read)
    const said = git(['diff-tree', '-r', '-z', '--no-renames', '--name-status', one, two]).split('\0').filter(Boolean)
    const letter = (change: (typeof found)[number]) => (!change.before ? 'A' : !change.after ? 'D' : 'M')
    const pairs = found.map((change) => `${letter(change)} ${change.path}`)
    expect(pairs.toSorted()).toEqual(
      said.flatMap((status, at) => (at % 2 === 0 ? [`${status} ${said[at + 1]}`] : [])).toSorted(),
    )
    expect(await diffTrees(one, one, read)).toEqual([])
    expect(await diffTrees(null, two, read)).toHaveLength(4)
  })

  it('that is cut off is refused', () => {
    expect(() => parseTree(Buffer.from('100644 a\0short'))).toThrow(/cut off/)
    expect(() => parseTree(Buffer.from('100644'))).toThrow(/cut off/)
  })
})
