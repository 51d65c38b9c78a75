import type { z } from 'zod'
import type { ConfigOf } from '#runtime/config.ts'
import { flag, folder, milliseconds, optional, processSettings, secretFile, setting, text } from '#runtime/settings.ts'

const TARGET = 'where backups go: a path, sftp:user@host:/path or s3:https://host/bucket'
const target = text(TARGET).refine((value) => {
  const isKnown = /^(\/|sftp:[\w.-]+@|sftp:\/\/|s3:https?:\/\/)/.test(value)
  return isKnown && !/[\0\r\n]/.test(value) && !/:\/\/[^/@\s]*:[^/@\s]*@/.test(value)
}, `expected ${TARGET}, without a password in it`) as z.ZodType<string, string | undefined>

/** What a backup needs to know; the command line, too. */
export const backupTargetSettings = {
  target: setting('COUNTERSIGN_BACKUP_TARGET', optional(target)),
  /** What stands for it in a container, where a folder of the machine is mounted. */
  mount: setting('COUNTERSIGN_BACKUP_MOUNT', optional(target)),
  password: setting('COUNTERSIGN_BACKUP_PASSWORD_FILE', secretFile()),
  /** For s3: two lines, the access key's id and the secret. */
  s3Key: setting('COUNTERSIGN_BACKUP_S3_KEY_FILE', optional(secretFile())),
  /** For sftp: the key; the server has to stand in trust/known_hosts. */
  sshKey: setting('COUNTERSIGN_BACKUP_SSH_KEY_FILE', optional(secretFile())),
  /** The target takes nothing away, or this machine may not: old backups are thrown away from elsewhere. */
  appendOnly: setting('COUNTERSIGN_BACKUP_APPEND_ONLY', flag(false)),
}

/** Settings of the backup service. */
export const backupSettings = {
  ...processSettings,
  /** The whole of the zone, as `countersign init` made it. */
  home: setting('COUNTERSIGN_HOME', folder()),
  ...backupTargetSettings,
  pollMs: setting('COUNTERSIGN_BACKUP_POLL_MS', milliseconds(60_000)),
}
export type BackupConfig = ConfigOf<typeof backupSettings>
export type BackupTargetConfig = ConfigOf<typeof backupTargetSettings>
