import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** So long a service has to do its work for a start to count as a success, ms. */
export const STABLE_MS = 60_000
/** A container that fails is started again at least once a minute; what counted longer ago is gone (ms). */
const GONE_MS = 10 * 60_000

/**
 * How often a service was started since it last did its work for a minute, or was stopped as it should be. It is on disk
 * before anything else is tried, so that a start which fails at its settings counts as well. Each replica counts for
 * itself, by its host's name: four that start together are no service that fails four times. Never throws: a disk
 * that takes nothing is told of elsewhere.
 */
export function noteBoot(stateDir: string, service: string, nowMs: number, host = hostname()): void {
  const boots = readOne(fileOf(stateDir, service, host)) + 1
  write(stateDir, service, host, { boots, at: new Date(nowMs).toISOString() })
  for (const file of filesOf(stateDir, service)) if (isGone(file)) rmSync(file, { force: true })
}

/** It stays up, or was stopped as it should be: the next start is the first again. */
export function noteStable(stateDir: string, service: string, nowMs: number, host = hostname()): void {
  write(stateDir, service, host, { boots: 0, at: new Date(nowMs).toISOString() })
}

/** Of the replica that fails most. 0: it is well, or was never started here. */
export function readBoots(stateDir: string, service: string): number {
  const files = filesOf(stateDir, service).filter((file) => !isGone(file))
  return Math.max(0, ...files.map(readOne))
}

function readOne(file: string): number {
  try {
    const { boots } = JSON.parse(readFileSync(file, 'utf8')) as { boots?: unknown }
    return Number.isSafeInteger(boots) ? Math.max(0, boots as number) : 0
  } catch {
    return 0
  }
}

function filesOf(stateDir: string, service: string): string[] {
  const folder = join(stateDir, 'boots')
  try {
    const names = readdirSync(folder).filter((name) => name.startsWith(`${service}@`) && name.endsWith('.json'))
    return names.map((name) => join(folder, name))
  } catch {
    return [] // Nothing was started here yet.
  }
}

function isGone(file: string): boolean {
  try {
    return Date.now() - statSync(file).mtimeMs > GONE_MS
  } catch {
    return true // Another replica removed it.
  }
}

function write(stateDir: string, service: string, host: string, record: { boots: number; at: string }): void {
  try {
    mkdirSync(join(stateDir, 'boots'), { recursive: true, mode: 0o700 })
    const file = fileOf(stateDir, service, host)
    const temporary = join(stateDir, 'boots', `.${service}@${host}.tmp`)
    writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 })
    renameSync(temporary, file)
  } catch {
    // The disk is full or read-only: the service's own work fails by it, and says so.
  }
}

function fileOf(stateDir: string, service: string, host: string): string {
  return join(stateDir, 'boots', `${service}@${host}.json`)
}
