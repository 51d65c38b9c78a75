import { createHash } from 'node:crypto'
import { closeSync, openSync, statSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
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
export function withNameLock<T>(folder: string, name: string, act: () => T): Promise<T> {
  return withLocks([lockOf(folder, name)], act)
}

/**
 * The same for a move: nobody writes under the name that goes, either, or what is written there would stand in two
 * places. `from` and `to` are absolute paths.
 */
export function withMoveLocks<T>(from: string, to: string, act: () => T): Promise<T> {
  // Always in this order: of two that move against each other, one has to wait for both.
  const locks = new Set([from, to].map((path) => lockOf(dirname(path), basename(path))))
  return withLocks([...locks].sort(), act)
}

function lockOf(folder: string, name: string): string {
  return join(folder, `.tmp-lock-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`)
}

async function withLocks<T>(locks: readonly string[], act: () => T): Promise<T> {
  const held: string[] = []
  try {
    for (const lock of locks) {
      await acquire(lock)
      held.push(lock)
    }
    return act()
  } finally {
    for (const lock of held.reverse()) unlinkQuietly(lock)
  }
}

async function acquire(lock: string): Promise<void> {
  for (;;) {
    try {
      return closeSync(openSync(lock, 'wx', 0o644))
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      if (!removeStale(lock)) await delay(RETRY_MS)
    }
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
