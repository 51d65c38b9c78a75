import { z } from 'zod'
import { parseBackupTarget } from '#core/backup-target.ts'
import type { ConfigOf } from '#runtime/config.ts'
import {
  choice,
  flag,
  folder,
  host,
  milliseconds,
  optional,
  processSettings,
  secretFile,
  setting,
  text,
} from '#runtime/settings.ts'
import { proofSettings } from '#runtime/site-settings.ts'

const TARGET = 'expected a path, sftp:user@host:/path or s3:https://host/bucket, without a password in it'
const target = z.string(TARGET).refine((value) => parseBackupTarget(value) !== undefined, TARGET)

/** What a backup needs to know; the command line, too. */
export const backupTargetSettings = {
  target: setting('COUNTERSIGN_BACKUP_TARGET', optional(target)),
  /** What stands for it in a container, where a folder of the machine is mounted. */
  mount: setting('COUNTERSIGN_BACKUP_MOUNT', optional(target)),
  password: setting('COUNTERSIGN_BACKUP_PASSWORD_FILE', secretFile()),
  /** For s3: two lines, the access key's id and the secret. */
  s3Key: setting('COUNTERSIGN_BACKUP_S3_KEY_FILE', optional(secretFile())),
  /** For sftp: the key, and the file in which the server's host key stands; without it trust/known_hosts of the home. */
  sshKey: setting('COUNTERSIGN_BACKUP_SSH_KEY_FILE', optional(secretFile())),
  knownHosts: setting('COUNTERSIGN_BACKUP_KNOWN_HOSTS_FILE', optional(text('the path of a file with host keys'))),
  /** Where Odoo's database is, if its folder is in this home. */
  odooHost: setting('COUNTERSIGN_BACKUP_ODOO_HOST', optional(host('the host of Odoo’s database'))),
  odooPassword: setting('COUNTERSIGN_BACKUP_ODOO_PASSWORD_FILE', optional(secretFile())),
  /** Shared with the container that starts Odoo on what a trial has restored. */
  odooTrial: setting('COUNTERSIGN_BACKUP_ODOO_TRIAL', optional(text('a folder shared with odoo-trial'))),
  odoo: setting('COUNTERSIGN_BACKUP_ODOO', choice(['auto', 'off'], 'auto')),
  egress: processSettings.egress,
  /** The target takes nothing away, or this machine may not: old backups are thrown away from elsewhere. */
  appendOnly: setting('COUNTERSIGN_BACKUP_APPEND_ONLY', flag(false)),
}

/** Settings of the backup service. */
export const backupSettings = {
  ...processSettings,
  ...proofSettings,
  /** The whole of the zone, as `countersign init` made it. */
  home: setting('COUNTERSIGN_HOME', folder()),
  ...backupTargetSettings,
  pollMs: setting('COUNTERSIGN_BACKUP_POLL_MS', milliseconds(60_000)),
}
export type BackupConfig = ConfigOf<typeof backupSettings>
export type BackupTargetConfig = ConfigOf<typeof backupTargetSettings>
