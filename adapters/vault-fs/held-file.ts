import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { errnoOf } from './file-access.ts'

/**
 * Runs `act` with the file at `target` held open, so that its bytes can be read even after another one was renamed over
 * it: an editor that wrote into it at the last instant has not lost them. undefined when no plain file stands there.
 */
export function withHeldFile<T>(target: string, act: (file: number) => T): T | undefined {
  const file = openHeld(target)
  if (file === undefined) return undefined
  try {
    return fstatSync(file).isFile() ? act(file) : undefined
  } finally {
    closeSync(file)
  }
}

/** The bytes a held file has now, from its beginning. */
export function heldBytes(file: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(file).size)
  let length = 0
  while (length < bytes.length) {
    const read = readSync(file, bytes, length, bytes.length - length, length)
    if (read === 0) break
    length += read
  }
  return bytes.subarray(0, length)
}

function openHeld(target: string): number | undefined {
  try {
    return openSync(target, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error))) return undefined
    throw error
  }
}
