import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Finding } from '#core/finding.ts'

/** SQLite's codes for a file whose pages contradict each other, and for one that is no database. */
const DAMAGED = [11, 26]

/**
 * Looks into a SQLite file that no other process needs to be open, and puts a damaged one aside: its owner makes a new one.
 * Only for databases that can be made anew from something else.
 */
export function mendDatabase(file: string, asideDir: string): Finding {
  const check = basename(file)
  if (!existsSync(file)) return { check, result: 'ok', found: 'not there yet; it is made anew' }
  const fault = faultOf(file)
  if (fault === undefined) return { check, result: 'ok', found: 'sound' }
  mkdirSync(asideDir, { recursive: true, mode: 0o700 })
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    if (existsSync(`${file}${suffix}`)) renameSync(`${file}${suffix}`, join(asideDir, `${check}${suffix}`))
  return { check, result: 'repaired', found: `damaged (${fault}), put aside; it is made anew` }
}

/** The same look at one that other processes have open, and that holds what nothing else tells again: it is left alone. */
export function inspectDatabase(file: string, hint: string): Finding {
  const check = basename(file)
  const fault = existsSync(file) ? faultOf(file) : undefined
  return fault === undefined
    ? { check, result: 'ok', found: existsSync(file) ? 'sound' : 'not there yet' }
    : { check, result: 'failed', found: `damaged: ${fault}`, hint }
}

/** Undefined when it is sound, or when something else than damage keeps us from looking: then its owner says so. */
function faultOf(file: string): string | undefined {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: 5_000 })
    const { quick_check: verdict } = database.prepare('PRAGMA quick_check(1)').get() ?? {}
    return verdict === 'ok' ? undefined : String(verdict).slice(0, 200)
  } catch (error) {
    const isDamage = error instanceof Error && 'errcode' in error && DAMAGED.includes(Number(error.errcode) & 0xff)
    return isDamage ? error.message : undefined
  } finally {
    database?.close()
  }
}
