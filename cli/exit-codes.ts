import { CountersignError, type ErrorCode } from '#core/errors.ts'

/** What the process ends with; documented in --help and docs/cli.md. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  notRunning: 5,
  waiting: 6,
  incomplete: 7,
} as const

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  ERR_CONFIG_INVALID: EXIT.usage,
  ERR_HOME_MISSING: EXIT.usage,
  ERR_KEY_LOCKED: EXIT.usage,
  ERR_USAGE: EXIT.usage,
  ERR_VAULT_PATH_INVALID: EXIT.usage,
  ERR_BACKUP_NONE: EXIT.notFound,
  ERR_CONFLICT_NOT_FOUND: EXIT.notFound,
  ERR_TASK_NOT_FOUND: EXIT.notFound,
  ERR_CODE_NEEDED: EXIT.refused,
  ERR_RESTORE_REFUSED: EXIT.refused,
  ERR_CONFLICT_STATE: EXIT.refused,
  ERR_COUNTERSIGNATURE_INVALID: EXIT.refused,
  ERR_TASK_STATE: EXIT.refused,
  ERR_ZONE_FORBIDDEN: EXIT.refused,
  ERR_NOT_RUNNING: EXIT.notRunning,
  ERR_REDIS_UNREACHABLE: EXIT.notRunning,
}

/** The exit code that tells a script what kind of failure this was. */
export function exitCodeOf(error: unknown): number {
  return (error instanceof CountersignError && BY_CODE[error.code]) || EXIT.failed
}

export const EXIT_HELP = `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found, 4 refused, 5 not running,
6 the hub cannot be asked now, 7 not everything could be checked.`
