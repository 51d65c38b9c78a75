import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** So long a service has to do its work for a start to count as a success, ms. */
export const STABLE_MS = 60_000

/**
 * How often a service was started since it last did its work for a minute, or was stopped as it should be. It is on disk
 * before anything else is tried, so that a start which fails at its settings counts as well. Never throws: a disk that
 * takes nothing is told of elsewhere.
 */
export function noteBoot(stateDir: string, service: string, nowMs: number): void {
  write(stateDir, service, { boots: readBoots(stateDir, service) + 1, at: new Date(nowMs).toISOString() })
}

/** It stays up, or was stopped as it should be: the next start is the first again. */
export function noteStable(stateDir: string, service: string, nowMs: number): void {
  write(stateDir, service, { boots: 0, at: new Date(nowMs).toISOString() })
}

/** 0: it is well, or was never started here. */
export function readBoots(stateDir: string, service: string): number {
  try {
    const { boots } = JSON.parse(readFileSync(fileOf(stateDir, service), 'utf8')) as { boots?: unknown }
    return Number.isSafeInteger(boots) ? Math.max(0, boots as number) : 0
  } catch {
    return 0
  }
}

function write(stateDir: string, service: string, record: { boots: number; at: string }): void {
  try {
    mkdirSync(join(stateDir, 'boots'), { recursive: true, mode: 0o700 })
    const temporary = join(stateDir, 'boots', `.${service}.tmp`)
    writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 })
    renameSync(temporary, fileOf(stateDir, service))
  } catch {
    // The disk is full or read-only: the service's own work fails by it, and says so.
  }
}

function fileOf(stateDir: string, service: string): string {
  return join(stateDir, 'boots', `${service}.json`)
}
