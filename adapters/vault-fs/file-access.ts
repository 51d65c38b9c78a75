import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CountersignError } from '#core/errors.ts'

/** The system's error code (`ENOENT`) of a failed call, or '' for anything else. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** A vault file or folder that is not what the contract asks for. */
export function unreadable(path: string, found: string, cause?: unknown): CountersignError {
  return new CountersignError('ERR_VAULT_UNREADABLE', `cannot read ${path} in the vault: ${found}`, {
    cause,
    details: { path },
  })
}

function writeFailed(path: string, cause: unknown): CountersignError {
  const found = errnoOf(cause) || String(cause)
  return new CountersignError('ERR_VAULT_WRITE_FAILED', `cannot write ${path} in the vault: ${found}`, {
    cause,
    details: { path },
  })
}

/** Passes our own errors on and turns the system's into ERR_VAULT_WRITE_FAILED. */
export async function writing<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw error instanceof CountersignError ? error : writeFailed(path, error)
  }
}

/**
 * Checks that `folder` (relative to `root`, checked before) is reached through real folders only. Node has no openat,
 * so a swap after this check would be followed; whoever could swap a folder of the vault may write anything in it.
 * Returns false when it is missing; throws ERR_VAULT_UNREADABLE when a link or a file stands in the way.
 */
export async function isRealFolder(root: string, folder: string): Promise<boolean> {
  let path = root
  for (const part of folder.split('/').filter(Boolean)) {
    path = join(path, part)
    const stats = await lstatOrUndefined(path, folder)
    if (!stats) return false
    if (!stats.isDirectory()) throw unreadable(folder, `${part} is ${nameKind(stats)}, not a folder`)
  }
  return true
}

/** Makes the folder and those above it; same checks as `isRealFolder`. */
export async function ensureFolder(root: string, folder: string): Promise<void> {
  if (await isRealFolder(root, folder)) return
  const parts = folder.split('/')
  await writing(folder, async () => {
    // One by one: on a read-only disk a recursive one says ENOENT.
    for (const at of parts.keys()) await mkdir(join(root, ...parts.slice(0, at + 1))).catch(unlessThere)
  })
  await isRealFolder(root, folder)
}

function unlessThere(error: unknown): void {
  if (errnoOf(error) !== 'EEXIST') throw error
}

export async function lstatOrUndefined(absolute: string, shown: string): Promise<Stats | undefined> {
  try {
    return await lstat(absolute)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return undefined
    throw unreadable(shown, errnoOf(error), error)
  }
}

/**
 * Reads a plain file of at most `maxBytes` without following a link or waiting on a pipe; undefined when absent.
 * A hard link is refused too: its content could change through a name outside the vault.
 */
export async function readPlainFile(absolute: string, shown: string, maxBytes: number): Promise<Buffer | undefined> {
  let file: FileHandle
  try {
    file = await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined
    throw unreadable(shown, errno === 'ELOOP' ? 'a symbolic link' : errno, error)
  }
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw unreadable(shown, nameKind(stats))
    // No name at all: replaced or removed since it was opened, and still whole.
    if (stats.nlink > 1) throw unreadable(shown, `a file with ${stats.nlink} names (hard link)`)
    if (stats.size > maxBytes) throw unreadable(shown, `${stats.size} bytes, the limit is ${maxBytes}`)
    return await readUpTo(file, stats.size, maxBytes, shown)
  } finally {
    await file.close()
  }
}

async function readUpTo(file: FileHandle, size: number, maxBytes: number, shown: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const chunk = Buffer.alloc(Math.max(size - total, 0) + 1)
    const { bytesRead } = await file.read(chunk, 0, chunk.length, null)
    if (bytesRead === 0) return Buffer.concat(chunks, total)
    total += bytesRead
    // The size was checked before, but another program may still be appending.
    if (total > maxBytes) throw unreadable(shown, `more than the limit of ${maxBytes} bytes`)
    chunks.push(chunk.subarray(0, bytesRead))
  }
}

/** Every scanner ignores dot names, so a half-written file is never seen. */
export const TEMP_PREFIX = '.tmp-'

/** A name nobody uses in the folder of `target`, for a file that is renamed over it. */
export function temporaryBeside(target: string): string {
  return join(dirname(target), `${TEMP_PREFIX}${randomBytes(8).toString('hex')}`)
}

/** Writes a new file and its content to disk; a half-written one is removed again. */
export async function writeDurably(absolute: string, content: string | Uint8Array): Promise<void> {
  const file = await open(absolute, 'wx', 0o644)
  try {
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    await unlink(absolute).catch(() => {}) // The first error is the one to report; a sweep removes what stays.
    throw error
  } finally {
    await file.close()
  }
}

/** Makes a rename in this folder survive a power cut. */
export async function syncFolder(absolute: string): Promise<void> {
  const folder = await open(absolute, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function nameKind(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link'
  if (stats.isDirectory()) return 'a folder'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return stats.isFile() ? 'a file' : 'a device'
}

/** What stands in a folder below `root`; nothing where there is none. Throws ERR_VAULT_UNREADABLE. */
export async function entriesOf(root: string, folder: string) {
  if (!(await isRealFolder(root, folder))) return []
  try {
    return await readdir(join(root, folder), { withFileTypes: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw unreadable(folder, errnoOf(error), error)
  }
}
