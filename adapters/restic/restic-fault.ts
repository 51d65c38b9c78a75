import { CountersignError, type ErrorCode } from '#core/errors.ts'

const NO_REPOSITORY = 10
const LOCKED = 11
const WRONG_PASSWORD = 12

/** Of a disk here or there, of a bucket; the last is what OpenSSH's server says of a full disk. */
export const FULL =
  /no space left on device|not enough space|insufficient storage|quota.{0,60}exceeded|QuotaExceeded|StorageFull|minimum free drive threshold|Write: sftp: "Failure"/i

/** What restic says, in the order in which it is looked for; older versions have no exit codes of their own. */
const SAYINGS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/wrong password or no key found/i, 'ERR_BACKUP_PASSWORD'],
  [FULL, 'ERR_BACKUP_FULL'],
  [/repository is already locked|unable to create lock/i, 'ERR_BACKUP_LOCKED'],
  [
    /connection refused|no such host|i\/o timeout|timed out|no route to host|network is unreachable|connection reset|unable to start the sftp session|ssh command exited|ssh exited|host key verification failed|permission denied|access ?denied|access key|request signature|input\/output error|read-only file system|transport endpoint/i,
    'ERR_BACKUP_UNREACHABLE',
  ],
  [
    /ciphertext verification failed|invalid data returned|hash does not match|does not match id|wrong data|load.* (index|snapshot)|unexpected EOF|tree .* not found|no index found|pack .*(missing|not found|invalid|damaged|does not)|repository contains errors|damaged|errors? (were|was) found|invalid character|config or key .* is damaged|file does not exist|no such file/i,
    'ERR_BACKUP_DAMAGED',
  ],
]

/** The place answers, and nothing is there. */
const MISSING = /(key|bucket|file|directory) does not exist|no such file/i

/** What became of a call that failed, as an error of ours; `details.isMissing`: there is no repository there; `isStopped`: we ended it. */
export function faultOf(
  what: string,
  { exitCode, errors, isStopped }: { exitCode: number | null; errors: string; isStopped: boolean },
): CountersignError {
  if (isStopped) return new CountersignError('ERR_BACKUP_FAILED', `${what}: stopped`, { details: { isStopped: true } })
  const said = essence(errors)
  const fault = (code: ErrorCode, details = {}) => new CountersignError(code, `${what}: ${said}`, { details })
  if (exitCode === WRONG_PASSWORD) return fault('ERR_BACKUP_PASSWORD')
  if (exitCode === LOCKED) return fault('ERR_BACKUP_LOCKED')
  const isMissing = /is there a repository at the following location/i.test(errors) || exitCode === NO_REPOSITORY
  if (isMissing && !SAYINGS.slice(0, 4).some(([saying]) => saying.test(errors)))
    return fault('ERR_BACKUP_UNREACHABLE', { isMissing: MISSING.test(errors) })
  const known = SAYINGS.find(([saying]) => saying.test(errors))
  return fault(known?.[1] ?? 'ERR_BACKUP_FAILED')
}

/** The lines that say why, without those that say how to call restic. */
function essence(errors: string): string {
  const lines = errors.split('\n').map((line) => line.trim())
  const telling = lines.filter(
    (line) => line !== '' && !/^(usage|try|use the|is there a repo|runtime\.)|\.(go|s):\d+$/i.test(line),
  )
  return telling.slice(-3).join(' ').slice(0, 400) || 'it gave no reason'
}
