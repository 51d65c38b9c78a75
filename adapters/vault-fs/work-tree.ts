import { type BigIntStats, fstatSync, lstatSync, renameSync, unlinkSync } from 'node:fs'
import { readdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FileIdentity, sameIdentity } from '#core/file-identity.ts'
import type { ChangeOutcome, Listing, Oddity, Sight, WorkTreePort } from '#core/ports/work-tree.ts'
import { fileNameOf, parseVaultPath, ROOT_NOTES, VAULT_FOLDERS, type VaultPath } from '#core/vault-path.ts'
import {
  ensureFolder,
  errnoOf,
  isRealFolder,
  readPlainFile,
  syncFolder,
  temporaryBeside,
  unreadable,
  writeDurably,
  writing,
} from './file-access.ts'
import { heldBytes, withHeldFile } from './held-file.ts'
import { withMoveLocks, withNameLock } from './name-lock.ts'

export const MAX_DEPTH = 3
const READ_TRIES = 3
const MAX_ODDITIES = 200

/** The vault's folder for sync. Throws what the port says. */
export function openWorkTree(root: string): WorkTreePort {
  return {
    list: () => listTree(root),
    folders: () => foldersOf(root),
    look: async (path) => lookAt(root, path),
    read: (path, maxBytes) => readStill(root, path, maxBytes),
    write: (path, bytes, expected) => writeIf(root, path, bytes, expected),
    move: (from, to, expected) => moveIf(root, from, to, expected),
    remove: (path, expected) => removeIf(root, path, expected),
    respell: (from, to) => respellIf(root, from, to),
  }
}

/** The folders of the contract that exist, those above first; anything else at the root is the person's own. */
export async function foldersOf(root: string): Promise<string[]> {
  const found = ['']
  for (const folder of found) {
    const depth = folder === '' ? 0 : folder.split('/').length
    if (depth === MAX_DEPTH) continue
    for (const entry of await entriesOf(root, folder)) {
      if (!entry.isDirectory() || entry.name.startsWith('.') || (depth === 0 && !isOfContract(entry.name))) continue
      found.push(folder === '' ? entry.name : `${folder}/${entry.name}`)
    }
  }
  return found
}

async function* listTree(root: string): AsyncIterable<Listing> {
  let room = MAX_ODDITIES
  for (const folder of await foldersOf(root)) {
    const files = new Map<VaultPath, FileIdentity>()
    const oddities: Oddity[] = []
    const isDeepest = folder.split('/').length === MAX_DEPTH
    for (const entry of await entriesOf(root, folder)) {
      if (entry.name.startsWith('.') || (entry.isDirectory() && !isDeepest)) continue
      if (folder === '' && !isOfContract(entry.name)) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const sight = lookAt(root, path)
      if (sight.kind === 'file') files.set(sight.path, sight.identity)
      else if (sight.kind === 'odd' && room-- > 0) oddities.push({ path: path.slice(0, 300), rule: sight.rule })
    }
    yield { folder, files, oddities }
  }
}

function lookAt(root: string, path: string): Sight {
  let stats: BigIntStats | undefined
  try {
    stats = lstatSync(join(root, path), { bigint: true, throwIfNoEntry: false })
  } catch {
    return { kind: 'odd', rule: 'unreadable' } // A name too long, a folder without permission: there, and not carried.
  }
  if (!stats) return { kind: 'gone' }
  const verdict = parseVaultPath(path)
  // A folder is no file; what it holds is looked at by itself.
  if (!verdict.ok && stats.isDirectory() && path.split('/').length <= MAX_DEPTH) return { kind: 'gone' }
  const rule = verdict.ok ? oddityOf(stats) : verdict.rule
  if (rule || !verdict.ok) return { kind: 'odd', rule: rule ?? '' }
  return { kind: 'file', path: verdict.path, identity: identityOf(stats) }
}

async function entriesOf(root: string, folder: string) {
  try {
    return await readdir(join(root, folder), { withFileTypes: true })
  } catch (error) {
    if (folder !== '' && ['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return []
    throw unreadable(folder === '' ? root : folder, errnoOf(error), error)
  }
}

export function isOfContract(name: string): boolean {
  return ([...ROOT_NOTES, ...VAULT_FOLDERS] as readonly string[]).includes(name)
}

function oddityOf(stats: BigIntStats): string | undefined {
  if (!stats.isFile()) return 'not-a-regular-file'
  // Its content could change through a name outside the vault.
  return stats.nlink > 1n ? 'hard-link' : undefined
}

function identityOf(stats: BigIntStats): FileIdentity {
  return {
    ino: String(stats.ino),
    size: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
  }
}

async function readStill(
  root: string,
  path: VaultPath,
  maxBytes: number,
): Promise<{ bytes: Uint8Array; identity: FileIdentity } | undefined> {
  if (!(await isRealFolder(root, folderPart(path)))) return undefined
  for (let attempt = 0; attempt < READ_TRIES; attempt++) {
    const before = identityAt(join(root, path))
    const bytes = await readPlainFile(join(root, path), path, maxBytes)
    if (!before || bytes === undefined) return undefined
    const after = identityAt(join(root, path))
    if (sameIdentity(before, after) && bytes.length === before.size) return { bytes, identity: before }
  }
  return undefined
}

function identityAt(absolute: string): FileIdentity | undefined {
  const stats = lstatSync(absolute, { bigint: true, throwIfNoEntry: false })
  return stats && identityOf(stats)
}

async function writeIf(
  root: string,
  path: VaultPath,
  bytes: Uint8Array,
  expected: FileIdentity | null,
): Promise<ChangeOutcome> {
  const target = join(root, path)
  const folder = dirname(target)
  await ensureFolder(root, folderPart(path))
  return writing(path, async () => {
    const temporary = temporaryBeside(target)
    await writeDurably(temporary, bytes)
    let outcome: ChangeOutcome = { kind: 'changed' }
    try {
      outcome = await withNameLock(folder, fileNameOf(path), () =>
        replacing(target, expected, () => renameSync(temporary, target)),
      )
    } finally {
      if (outcome.kind === 'changed') await unlink(temporary).catch(() => {}) // What stays is swept at the next start.
    }
    if (outcome.kind === 'done') await syncFolder(folder)
    return outcome
  })
}

async function removeIf(root: string, path: VaultPath, expected: FileIdentity): Promise<ChangeOutcome> {
  const target = join(root, path)
  if (!(await isRealFolder(root, folderPart(path)))) return { kind: 'changed' }
  return writing(path, async () => {
    const outcome = await withNameLock(dirname(target), fileNameOf(path), () =>
      replacing(target, expected, () => unlinkSync(target)),
    )
    if (outcome.kind === 'done') await syncFolder(dirname(target))
    return outcome
  })
}

async function moveIf(root: string, from: VaultPath, to: VaultPath, expected: FileIdentity): Promise<ChangeOutcome> {
  const source = join(root, from)
  const target = join(root, to)
  if (!(await isRealFolder(root, folderPart(from)))) return { kind: 'changed' }
  await ensureFolder(root, folderPart(to))
  return writing(to, async () => {
    const outcome = await withMoveLocks(source, target, (): ChangeOutcome => {
      if (!sameIdentity(identityAt(source), expected) || identityAt(target)) return { kind: 'changed' }
      renameSync(source, target)
      return settled(target)
    })
    if (outcome.kind === 'done') {
      await syncFolder(dirname(target))
      if (dirname(source) !== dirname(target)) await syncFolder(dirname(source))
    }
    return outcome
  })
}

async function respellIf(root: string, from: string, to: VaultPath): Promise<ChangeOutcome> {
  const [source, target] = [join(root, from), join(root, to)]
  if (!(await isRealFolder(root, folderPart(to)))) return { kind: 'changed' }
  return writing(to, async () => {
    const outcome = await withNameLock(dirname(target), fileNameOf(to), (): ChangeOutcome => {
      const [found, taken] = [identityAt(source), identityAt(target)]
      // Where both names are one file, it is found under either.
      if (!found || (taken && taken.ino !== found.ino)) return { kind: 'changed' }
      renameSync(source, target)
      return settled(target)
    })
    if (outcome.kind === 'done') await syncFolder(dirname(target))
    return outcome
  })
}

/**
 * Does `act` if the file at `target` is still the expected one (null: none). The old file is held open across it: an
 * editor that wrote into it between the look and the act has not lost its bytes, they are handed back.
 */
function replacing(target: string, expected: FileIdentity | null, act: () => void): ChangeOutcome {
  if (expected === null) {
    if (identityAt(target)) return { kind: 'changed' }
    act()
    return settled(target)
  }
  const outcome = withHeldFile(target, (old): ChangeOutcome => {
    const isExpected = sameIdentity(identityOf(fstatSync(old, { bigint: true })), expected)
    if (!isExpected || !sameIdentity(identityAt(target), expected)) return { kind: 'changed' }
    act()
    const after = identityOf(fstatSync(old, { bigint: true }))
    const isTouched = after.mtimeNs !== expected.mtimeNs || after.size !== expected.size
    return { ...settled(target), ...(isTouched && { displaced: heldBytes(old) }) }
  })
  return outcome ?? { kind: 'changed' }
}

function settled(target: string): { kind: 'done'; identity?: FileIdentity } {
  const identity = identityAt(target)
  return identity ? { kind: 'done', identity } : { kind: 'done' }
}

function folderPart(path: VaultPath): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}
