import type { BackupContents, OdooContents } from '#core/backup-manifest.ts'
import type { BackupStatus } from '#core/backup-status.ts'
import type { Finding } from '#core/finding.ts'
import type { BackupStore } from '#core/ports/backup-store.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Zone } from '#core/zone-policy.ts'

/** What backing up and looking at a backup work with. */
export interface BackupDeps {
  readonly zone: Zone
  readonly agent: string
  /** The version of this program. */
  readonly program: string
  readonly clock: Clock
  readonly store: BackupStore
  readonly isAppendOnly: boolean
  readonly status: {
    load(): Promise<BackupStatus>
    save(status: BackupStatus): Promise<void>
  }
  /** Only one at a time works on a zone's backups. Throws ERR_BACKUP_LOCKED. */
  oneAtATime(): Promise<AsyncDisposable>
  /** An empty folder of this name beside the zone, removed afterwards, and at the next time when it was not. */
  scratch(name: 'stage' | 'drill'): Promise<{ readonly path: string } & AsyncDisposable>
  /** Copies everything of the zone into a folder, repositories as bundles; gives what was left out. */
  copy(folder: string): Promise<readonly string[]>
  /** Where there may be an Odoo, or a dump of one be tried out. */
  readonly odoo?: {
    /** Database and filestore; absent: there is none here. */
    dump?(folder: string): Promise<OdooContents>
    /** Restores the dump into a database made for it, and counts. */
    tryOut(folder: string, made: OdooContents): Promise<Finding[]>
  }
  takeContents(folder: string): Promise<BackupContents>
  readManifest(folder: string): Promise<string>
  writeManifest(folder: string, text: string): Promise<void>
  /** Whether the bundles of a restored folder give whole repositories. */
  checkRepositories(folder: string, bundles: readonly string[]): Promise<Finding>
  /** The ledgers of a restored zone home, verified. */
  verifyLedgers(folder: string): Promise<Finding>
}
