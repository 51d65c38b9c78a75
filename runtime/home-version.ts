import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'

/** The form of a zone home as a whole: its folders and its settings. Files of the state have versions of their own. */
export const HOME_VERSION = 1

const FILE = 'program.json'

/** What a zone's state says of the program that it belongs to. */
export interface HomeRecord {
  readonly home: number
  /** The program that was set up or upgraded to last. */
  readonly program: string
  /** When that was, ISO 8601 UTC. */
  readonly at: string
  /** An upgrade to it was begun, and is not finished: nothing may work on the home meanwhile. */
  readonly unfinished?: true
}

/** Undefined: no program has written it yet, as before 0.2. Throws ERR_STATE_NEWER for what cannot be read: it may say anything. */
export function readHomeRecord(stateDir: string): HomeRecord | undefined {
  const file = join(stateDir, FILE)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return undefined
    throw unreadable(file, error)
  }
  try {
    const { home, program, at, unfinished } = JSON.parse(text) as Record<string, unknown>
    if (!Number.isSafeInteger(home) || typeof program !== 'string' || typeof at !== 'string') throw new Error(text)
    const record = { home: home as number, program: program.slice(0, 40), at: at.slice(0, 40) }
    return unfinished === undefined ? record : { ...record, unfinished: true }
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

/** Keeps a program from working on a home whose form it does not know, or in the middle of an upgrade. Throws ERR_STATE_NEWER, ERR_STATE_OUTDATED. */
export function refuseOtherHome(stateDir: string): void {
  const record = refuseNewerHome(stateDir)
  if (record?.unfinished)
    throw new CountersignError(
      'ERR_STATE_OUTDATED',
      `working on ${stateDir}: an upgrade to ${record.program} was begun and is not finished`,
    )
}

/** What stands there, when this program knows the form. Throws ERR_STATE_NEWER. */
export function refuseNewerHome(stateDir: string): HomeRecord | undefined {
  const record = readHomeRecord(stateDir)
  if (record === undefined || record.home <= HOME_VERSION) return record
  throw new CountersignError(
    'ERR_STATE_NEWER',
    `working on ${stateDir}: Countersign ${record.program} wrote it (form ${record.home}), this program knows forms up to ${HOME_VERSION}`,
  )
}

export function writeHomeRecord(stateDir: string, program: string, nowMs: number, isUnfinished = false): void {
  const at = new Date(nowMs).toISOString()
  const record: HomeRecord = { home: HOME_VERSION, program, at, ...(isUnfinished && { unfinished: true }) }
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const temporary = join(stateDir, `${FILE}.tmp`)
  writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: 0o644, flush: true })
  renameSync(temporary, join(stateDir, FILE))
}

function unreadable(file: string, cause: unknown): CountersignError {
  const why = 'it cannot be read as this program writes it'
  return new CountersignError('ERR_STATE_NEWER', `reading ${file}: ${why}`, { cause })
}
