import { type BigIntStats, lstatSync, renameSync } from 'node:fs'
import { realpath, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { fileNameOf, isConflictCopy, isReviewPath, parseVaultPath, type VaultPath } from '#core/vault-path.ts'
import {
  ensureFolder,
  entriesOf,
  errnoOf,
  isRealFolder,
  lstatOrUndefined,
  readPlainFile,
  syncFolder,
  TEMP_PREFIX,
  temporaryBeside,
  unreadable,
  writeDurably,
  writing,
} from './file-access.ts'
import { findTask, taskFolders } from './find-task.ts'
import { listConflicts } from './list-conflicts.ts'
import { withMoveLocks, withNameLock } from './name-lock.ts'
import { removeIfSame, replaceIfSame } from './replace-if-same.ts'
import { type WatchOptions, watchFolders } from './watch-folders.ts'
import { foldersOf } from './work-tree.ts'

const DEFAULT_MAX_BYTES = 1024 * 1024
/** No write takes this long: what is older was left by a crash. */
const TEMP_STALE_MS = 60 * 60 * 1000
/** File systems keep time in steps, the coarsest in ones of two seconds. */
const STAMP_AGE_MS = 2_500

export interface VaultOptions {
  readonly watch?: WatchOptions
  /** Whoever only reads leaves alone what a crash left. */
  readonly isReader?: boolean
}

/**
 * Opens an existing folder as the vault. Throws ERR_VAULT_UNREADABLE when it is missing or no folder; every method
 * throws ERR_VAULT_PATH_INVALID for a path outside the contract and ERR_VAULT_WRITE_FAILED when the disk refuses.
 */
export async function openVault(rootFolder: string, options: VaultOptions = {}): Promise<VaultPort> {
  const root = await realFolder(rootFolder)
  if (!options.isReader) await sweepTemporaryFiles(root)
  return {
    root,
    list: (folder, ending) => list(root, folder, ending),
    strays: (folder) => strays(root, folder),
    find: (fileName) => findTask(root, checkedName(fileName)),
    taskFolders: async () => (await taskFolders(root)).reverse(),
    conflicts: () => listConflicts(root),
    exists: async (path) => (await lstatOrUndefined(absoluteOf(root, path), path)) !== undefined,
    stamp: async (path) => stampOf(absoluteOf(root, path)),
    read: async (path, maxBytes) => decode(path, await readBytes(root, path, maxBytes ?? DEFAULT_MAX_BYTES)),
    readBytes: (path, maxBytes) => readBytes(root, path, maxBytes),
    create: async (path, content) => ((await publish(root, path, content, 'keep')) ? 'created' : 'exists'),
    replace: async (path, content) => void (await publish(root, path, content, 'replace')),
    replaceIf: (path, expected, content) => replaceIf(root, path, expected, content),
    removeIf: (path, expected) => removeIf(root, path, expected),
    move: (from, to) => move(root, from, to),
    remove: (path) => remove(root, path),
    async watch(folders, onChange) {
      for (const folder of folders) await ensureFolder(root, checkedFolder(folder))
      const absolute = folders.map((folder) => join(root, folder))
      return watchFolders(root, absolute, onChange, options.watch)
    },
  }
}

function lookAt(absolute: string): BigIntStats | undefined {
  try {
    return lstatSync(absolute, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined // Whatever is wrong, reading will say.
  }
}

/** The change time is in it, which no program can set back. A future one (another machine's disk) tells nothing. */
function stampOf(absolute: string): string | undefined {
  // Not asynchronous: hundreds are asked for at a time, and waiting for each costs ten times the look.
  const stats = lookAt(absolute)
  if (!stats?.isFile() || stats.nlink !== 1n) return undefined
  if (Date.now() - Number(stats.ctimeMs) < STAMP_AGE_MS) return undefined
  return [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':')
}

async function realFolder(rootFolder: string): Promise<string> {
  try {
    const root = await realpath(rootFolder)
    if ((await stat(root)).isDirectory()) return root
  } catch (error) {
    throw unreadable(rootFolder, errnoOf(error) || 'no folder', error)
  }
  throw unreadable(rootFolder, 'not a folder')
}

/** Checked here again although the type promises it: this is the last line before the file system. */
function absoluteOf(root: string, path: VaultPath): string {
  if (isReviewPath(path)) return join(root, path)
  const verdict = parseVaultPath(path)
  if (verdict.ok) return join(root, verdict.path)
  throw notOfTheVault(path, verdict.rule)
}

function checkedFolder(folder: string): string {
  const parts = folder.split('/')
  if (parts.some((part) => part === '' || part.startsWith('.') || /[\\\0]/.test(part))) {
    throw notOfTheVault(folder, 'folder')
  }
  return folder
}

function checkedName(fileName: string): string {
  const verdict = parseVaultPath(`Approved/${fileName}`)
  if (verdict.ok) return fileName
  throw notOfTheVault(fileName, verdict.rule)
}

function notOfTheVault(path: string, rule: string): CountersignError {
  const shown = JSON.stringify(path.slice(0, 200))
  return new CountersignError('ERR_VAULT_PATH_INVALID', `not a path of the vault: ${shown} (${rule})`)
}

async function list(root: string, folder: string, ending = '.md'): Promise<VaultPath[]> {
  const entries = await entriesOf(root, checkedFolder(folder))
  const paths: VaultPath[] = []
  for (const entry of entries) {
    if (!entry.name.endsWith(ending) || !entry.name.endsWith('.md')) continue
    if (!entry.isFile() || isConflictCopy(entry.name)) continue
    const verdict = parseVaultPath(`${folder}/${entry.name}`)
    if (verdict.ok) paths.push(verdict.path)
  }
  return paths.sort()
}

async function strays(root: string, folder: string): Promise<string[]> {
  const notes = new Set<string>((await list(root, folder)).map(fileNameOf))
  return (await entriesOf(root, checkedFolder(folder)))
    .map((entry) => entry.name)
    .filter((name) => !name.startsWith('.') && !notes.has(name) && !isConflictCopy(name))
    .sort()
}

async function readBytes(root: string, path: VaultPath, maxBytes: number): Promise<Buffer | undefined> {
  const absolute = absoluteOf(root, path)
  if (!(await isRealFolder(root, folderPartOf(path)))) return undefined
  return readPlainFile(absolute, path, maxBytes)
}

function decode(path: VaultPath, bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw unreadable(path, 'not UTF-8 text', error)
  }
}

/** Writes beside the target, then renames: readers and scanners see the whole file or none. False: kept what is there. */
async function publish(
  root: string,
  path: VaultPath,
  content: string | Uint8Array,
  existing: 'keep' | 'replace',
): Promise<boolean> {
  const target = absoluteOf(root, path)
  await ensureFolder(root, folderPartOf(path))
  return writing(path, async () => {
    if (existing === 'keep' && isTaken(target)) return false
    const temporary = temporaryBeside(target)
    await writeDurably(temporary, content)
    let renamed = false
    try {
      renamed = await withNameLock(dirname(target), fileNameOf(path), () => {
        if (existing === 'keep' && isTaken(target)) return false
        renameSync(temporary, target)
        return true
      })
    } finally {
      if (!renamed) await unlink(temporary).catch(() => {}) // What stays is swept at the next start.
    }
    await syncFolder(dirname(target))
    return renamed
  })
}

async function replaceIf(root: string, path: VaultPath, expected: string, content: string) {
  const target = absoluteOf(root, path)
  if (!(await isRealFolder(root, folderPartOf(path)))) return 'gone'
  return writing(path, () => replaceIfSame(target, (bytes) => decode(path, bytes) === expected, content))
}

async function removeIf(root: string, path: VaultPath, expected: string) {
  const target = absoluteOf(root, path)
  if (!(await isRealFolder(root, folderPartOf(path)))) return 'gone'
  return writing(path, () => removeIfSame(target, (bytes) => decode(path, bytes) === expected))
}

/**
 * One rename, so that of two racing movers exactly one wins and no instant (nor a crash) shows the task in two places:
 * `link` + `unlink` would never overwrite either, but a crash between the two would leave an approved task standing in
 * Rejected/ and In_Progress/ at once, and readers refuse a file with two names. Overwriting is excluded by looking
 * first, under a lock that every writer of either name takes.
 */
async function move(root: string, from: VaultPath, to: VaultPath): Promise<'moved' | 'gone' | 'exists'> {
  const source = absoluteOf(root, from)
  const target = absoluteOf(root, to)
  if (!(await isRealFolder(root, folderPartOf(from)))) return 'gone'
  await ensureFolder(root, folderPartOf(to))
  return writing(to, async () => {
    const outcome = await withMoveLocks(source, target, () => {
      if (!isTaken(source)) return 'gone'
      if (isTaken(target)) return 'exists'
      return renameUnlessGone(source, target)
    })
    if (outcome === 'moved') {
      await syncFolder(dirname(target))
      if (dirname(source) !== dirname(target)) await syncFolder(dirname(source))
    }
    return outcome
  })
}

function renameUnlessGone(source: string, target: string): 'moved' | 'gone' {
  try {
    renameSync(source, target)
    return 'moved'
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'gone'
    throw error
  }
}

function isTaken(absolute: string): boolean {
  return lstatSync(absolute, { throwIfNoEntry: false }) !== undefined
}

async function remove(root: string, path: VaultPath): Promise<boolean> {
  const absolute = absoluteOf(root, path)
  if (!(await isRealFolder(root, folderPartOf(path)))) return false
  return writing(path, async () => {
    try {
      await unlink(absolute)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false
      throw error
    }
    await syncFolder(dirname(absolute))
    return true
  })
}

function folderPartOf(path: VaultPath): string {
  const end = path.lastIndexOf('/')
  return end < 0 ? '' : path.slice(0, end)
}

async function sweepTemporaryFiles(root: string): Promise<void> {
  for (const folder of await foldersOf(root)) {
    for (const entry of await entriesOf(root, folder)) {
      if (!entry.name.startsWith(TEMP_PREFIX)) continue
      const absolute = join(root, folder, entry.name)
      const stats = await lstatOrUndefined(absolute, entry.name)
      if (stats?.isFile() && Date.now() - stats.mtimeMs > TEMP_STALE_MS) await unlink(absolute).catch(() => {}) // Another process swept it.
    }
  }
}
