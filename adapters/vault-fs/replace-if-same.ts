import { closeSync, fsyncSync, lstatSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { syncFolder, temporaryBeside, writeDurably } from './file-access.ts'
import { heldBytes, withHeldFile } from './held-file.ts'
import { withNameLock } from './name-lock.ts'

/**
 * Replaces the file at `target` (absolute) if its bytes are the expected ones: looks, renames, and looks at the
 * displaced file again. An editor that wrote into it in between gets its bytes back in place (`changed`). Every writer
 * of ours takes the name's lock; editors take none, which is why there is a second look.
 */
export async function replaceIfSame(
  target: string,
  isExpected: (bytes: Uint8Array) => boolean,
  content: string,
): Promise<'replaced' | 'changed' | 'gone'> {
  const temporary = temporaryBeside(target)
  await writeDurably(temporary, content)
  try {
    return await withNameLock(dirname(target), basename(target), () => swap(target, temporary, isExpected))
  } finally {
    await unlink(temporary).catch(() => {}) // Renamed, or swept at the next start.
    await syncFolder(dirname(target))
  }
}

function swap(target: string, temporary: string, isExpected: (bytes: Uint8Array) => boolean) {
  const outcome = withHeldFile(target, (old) => {
    const before = heldBytes(old)
    if (!isExpected(before)) return 'changed'
    renameSync(temporary, target)
    const after = heldBytes(old)
    if (after.equals(before)) return 'replaced'
    putBack(target, after)
    return 'changed'
  })
  return outcome ?? (lstatSync(target, { throwIfNoEntry: false }) ? 'changed' : 'gone')
}

/** Removes the file at `target` (absolute) if its bytes are the expected ones, with the same second look. */
export async function removeIfSame(
  target: string,
  isExpected: (bytes: Uint8Array) => boolean,
): Promise<'removed' | 'changed' | 'gone'> {
  const outcome = await withNameLock(dirname(target), basename(target), () =>
    withHeldFile(target, (old) => {
      const before = heldBytes(old)
      if (!isExpected(before)) return 'changed'
      unlinkSync(target)
      const after = heldBytes(old)
      if (after.equals(before)) return 'removed'
      putBack(target, after)
      return 'changed'
    }),
  )
  await syncFolder(dirname(target))
  return outcome ?? (lstatSync(target, { throwIfNoEntry: false }) ? 'changed' : 'gone')
}

function putBack(target: string, bytes: Uint8Array): void {
  const temporary = temporaryBeside(target)
  const file = openSync(temporary, 'wx', 0o644)
  try {
    writeFileSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, target)
}
