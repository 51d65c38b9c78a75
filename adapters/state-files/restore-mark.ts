import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { parseRestoreMark, type RestoreMark } from '#core/restore-epoch.ts'

const MARK = 'restored.json'

/**
 * Marks a zone's state as restored: nothing approved before is done by itself any more. A restore calls it on the state
 * that it has fetched, before that state stands where a service could open it; on disk (fsync) when it returns, and it may
 * be called again. `backupOf`: when the backup was made. The ledger's memory goes: the vault's files are the truth, and
 * may be newer. Throws ERR_VAULT_WRITE_FAILED.
 */
export function bumpRestoreEpoch(stateDir: string, backupOf: Date | undefined, now = new Date()): RestoreMark {
  return writeMark(stateDir, backupOf, now, () => {
    for (const suffix of ['', '-wal', '-shm', '-journal'])
      rmSync(join(stateDir, `ledger.sqlite${suffix}`), { force: true })
  })
}

/**
 * Marks a state of which it shows that it is older than what was done at `lastAt` (ms), unless a restore since then tells
 * why. Throws as `bumpRestoreEpoch`.
 */
export function noteSetBack(stateDir: string, lastAt: number, now = new Date()): void {
  const mark = readRestoreMark(stateDir)
  if (mark === undefined || Date.parse(mark.at) < lastAt) writeMark(stateDir, undefined, now, () => {})
}

function writeMark(stateDir: string, backupOf: Date | undefined, now: Date, and: () => void): RestoreMark {
  const mark: RestoreMark = {
    schema: 1,
    id: randomBytes(16).toString('hex'),
    at: now.toISOString(),
    backupOf: backupOf?.toISOString() ?? null,
  }
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    writeDurably(join(stateDir, MARK), `${JSON.stringify(mark)}\n`)
    and()
    syncPath(stateDir)
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : 'failed'
    throw new CountersignError('ERR_VAULT_WRITE_FAILED', `marking ${stateDir} as restored: ${found}`, { cause })
  }
  return mark
}

/** Undefined: nothing was ever restored here. Throws ERR_JOURNAL_FAILED for a mark that cannot be read. */
export function readRestoreMark(stateDir: string): RestoreMark | undefined {
  const path = join(stateDir, MARK)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new CountersignError('ERR_JOURNAL_FAILED', `reading ${path}: ${(cause as Error).message}`, { cause })
  }
  const mark = parseRestoreMark(text)
  if (!mark)
    throw new CountersignError('ERR_JOURNAL_FAILED', `${path} is damaged: what was restored here cannot be told`)
  return mark
}

function writeDurably(path: string, text: string): void {
  const temporary = `${path}.tmp`
  const handle = openSync(temporary, 'w', 0o600)
  try {
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(temporary, path)
}

function syncPath(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
