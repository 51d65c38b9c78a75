import { link, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileIdentity } from '#core/file-identity.ts'
import type { WorkTreePort } from '#core/ports/work-tree.ts'
import { type VaultPath, vaultPath } from '#core/vault-path.ts'
import { openWorkTree } from './work-tree.ts'

const NAME = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const PENDING = vaultPath(`Pending_Approval/email/${NAME}`)
const DONE = vaultPath(`Done/2026-11/${NAME}`)

let root: string
let tree: WorkTreePort
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'work-tree-'))
  tree = openWorkTree(root)
})
afterEach(() => rm(root, { recursive: true }))

const bytes = (text: string) => new TextEncoder().encode(text)
const textAt = async (path: VaultPath) => {
  const found = await tree.read(path, 1_000)
  return found && Buffer.from(found.bytes).toString('utf8')
}
const identityAt = async (path: VaultPath) => {
  const sight = await tree.look(path)
  return (sight.kind === 'file' ? sight.identity : undefined) as FileIdentity
}
const put = async (path: string, text: string) => {
  await mkdir(join(root, path, '..'), { recursive: true })
  await writeFile(join(root, path), text)
}
const allFiles = async () =>
  (await readdir(root, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())

describe('a listing', () => {
  it('holds the plain files of the contract and names the strange ones', async () => {
    await put(PENDING, 'x')
    await put('Dashboard.md', 'x')
    await put('Pending_Approval/email/stray.txt', 'x')
    await put('Plans/.hidden.md', 'x')
    await put('.obsidian/app.json', 'x')
    await put('Photos/me.md', 'x')
    await put('Review.md', 'x')
    await put('Review.kept-20261120T100000Z.md', 'x')
    await symlink('/etc/passwd', join(root, 'Plans/passwd.md'))
    await link(join(root, 'Dashboard.md'), join(root, 'Plans/twin.md'))
    const listings = await Array.fromAsync(tree.list())
    expect(listings.flatMap(({ files }) => [...files.keys()])).toEqual([PENDING])
    expect(listings.flatMap(({ oddities }) => oddities).toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'Dashboard.md', rule: 'hard-link' },
      { path: 'Pending_Approval/email/stray.txt', rule: 'path-unknown' },
      { path: 'Plans/passwd.md', rule: 'not-a-regular-file' },
      { path: 'Plans/twin.md', rule: 'hard-link' },
    ])
  })

  it('tells a file that was replaced by equal bytes from the one before', async () => {
    await put(PENDING, 'x')
    const before = await identityAt(PENDING)
    await put('Plans/new.md', 'x')
    await rename(join(root, 'Plans/new.md'), join(root, PENDING))
    expect(await identityAt(PENDING)).not.toEqual(before)
  })

  it('looks at a folder as at no file, where folders belong', async () => {
    await put('Logs/cloud/2026-11-26.jsonl', 'x')
    await mkdir(join(root, PENDING), { recursive: true })
    const looks = ['Logs', 'Logs/cloud', PENDING, 'Plans/a/b/c'].map((path) => tree.look(path))
    await mkdir(join(root, 'Plans/a/b/c'), { recursive: true })
    expect(await Promise.all([...looks, tree.look('Plans/a/b/c')])).toEqual([
      { kind: 'gone' },
      { kind: 'gone' },
      { kind: 'odd', rule: 'not-a-regular-file' },
      { kind: 'gone' },
      { kind: 'odd', rule: 'path-unknown' },
    ])
  })

  it('fails, rather than be empty, when the vault is not there', async () => {
    await expect(Array.fromAsync(openWorkTree(join(root, 'nowhere')).list())).rejects.toMatchObject({
      code: 'ERR_VAULT_UNREADABLE',
    })
  })
})

describe('a read', () => {
  it('gives the bytes with the identity of the listing', async () => {
    await put(PENDING, 'text')
    expect(await tree.read(PENDING, 4)).toEqual({ bytes: Buffer.from('text'), identity: await identityAt(PENDING) })
    expect(await tree.read(DONE, 4)).toBeUndefined()
    await expect(tree.read(PENDING, 3)).rejects.toMatchObject({ code: 'ERR_VAULT_UNREADABLE' })
  })

  it('follows no link', async () => {
    await mkdir(join(root, 'Plans'))
    await symlink('/etc/passwd', join(root, 'Plans/passwd.md'))
    await expect(tree.read(vaultPath('Plans/passwd.md'), 10_000)).rejects.toMatchObject({
      code: 'ERR_VAULT_UNREADABLE',
    })
  })
})

describe('a change', () => {
  it('writes, replaces, moves and removes what is still as it was seen', async () => {
    expect(await tree.write(PENDING, bytes('one'), null)).toEqual({ kind: 'done', identity: await identityAt(PENDING) })
    expect(await tree.write(PENDING, bytes('two'), await identityAt(PENDING))).toMatchObject({ kind: 'done' })
    expect(await textAt(PENDING)).toBe('two')
    expect(await tree.move(PENDING, DONE, await identityAt(PENDING))).toEqual({
      kind: 'done',
      identity: await identityAt(DONE),
    })
    expect(await textAt(PENDING)).toBeUndefined()
    expect(await tree.remove(DONE, await identityAt(DONE))).toEqual({ kind: 'done' })
    expect(await allFiles()).toEqual([])
  })

  it('leaves alone what changed since', async () => {
    await put(PENDING, 'one')
    const seen = await identityAt(PENDING)
    await put(PENDING, 'a person wrote this')
    for (const change of [
      () => tree.write(PENDING, bytes('x'), seen),
      () => tree.write(PENDING, bytes('x'), null),
      () => tree.move(PENDING, DONE, seen),
      () => tree.remove(PENDING, seen),
      () => tree.remove(DONE, seen),
      () => tree.write(DONE, bytes('x'), seen),
    ])
      expect(await change()).toEqual({ kind: 'changed' })
    expect(await textAt(PENDING)).toBe('a person wrote this')
    expect(await allFiles()).toHaveLength(1)
  })

  it('never moves onto a file', async () => {
    await put(PENDING, 'one')
    await put(DONE, 'two')
    expect(await tree.move(PENDING, DONE, await identityAt(PENDING))).toEqual({ kind: 'changed' })
    expect(await textAt(DONE)).toBe('two')
  })

  it('does not write through a folder that is a link', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'outside-'))
    await symlink(outside, join(root, 'Plans'))
    await expect(tree.write(vaultPath('Plans/a.md'), bytes('x'), null)).rejects.toMatchObject({
      code: 'ERR_VAULT_UNREADABLE',
    })
    expect(await readdir(outside)).toEqual([])
    await rm(outside, { recursive: true })
  })
})
