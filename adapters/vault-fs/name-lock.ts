import { createHash } from 'node:crypto'
import { closeSync, openSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { errnoOf } from './file-access.ts'

/** A holder needs some 100 µs; a lock this old was left by a process that died inside it. */
const STALE_MS = 5_000
const RETRY_MS = 2

/**
 * Runs `act` while no other process of ours (or caller in this one) holds the lock of the same file name in `folder`
 * (absolute). `act` must be synchronous, so that the lock is held for a few system calls and never across an await.
 *
 * The lock is a file made with O_EXCL, because Node offers no flock and no renameat2(RENAME_NOREPLACE). Two processes
 * that both find a stale lock at the same instant may both proceed; that takes a crash and two races within
 * microseconds, and costs only the check that the lock makes safe.
 */
export async function withNameLock<T>(folder: string, name: string, act: () => T): Promise<T> {
  const lock = join(folder, `.tmp-lock-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`)
  for (;;) {
    try {
      closeSync(openSync(lock, 'wx', 0o644))
      break
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      if (!removeStale(lock)) await delay(RETRY_MS)
    }
  }
  try {
    return act()
  } finally {
    unlinkQuietly(lock)
  }
}

function removeStale(lock: string): boolean {
  const ageMs = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  // A lock from the future (the clock was set back) is as dead as an old one.
  if (Math.abs(ageMs) < STALE_MS) return false
  unlinkQuietly(lock)
  return true
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
