/** One backup in the store. */
export interface Snapshot {
  readonly id: string
  /** ISO 8601. */
  readonly at: string
  /** Whose: an agent of this program. */
  readonly agent: string
  readonly zone: string
}

/**
 * Where backups go. Everything throws ERR_BACKUP_PASSWORD (the password opens nothing there), ERR_BACKUP_UNREACHABLE,
 * ERR_BACKUP_FULL, ERR_BACKUP_LOCKED (something else works on it), ERR_BACKUP_DAMAGED (what is read is not what was
 * written), ERR_BACKUP_FAILED (anything else; with `details.isStopped` nothing but that it was told to end).
 */
export interface BackupStore {
  /** Where it is, without credentials. */
  readonly target: string
  /** Its own id; undefined: there is none there. */
  id(): Promise<string | undefined>
  /** Makes it. Throws also when there is one. */
  create(): Promise<void>
  /** Saves a folder whole; gives the beginning of the snapshot's id. It exists once this is answered, and not before. */
  save(folder: string, of: { agent: string; zone: string }): Promise<string>
  /** Oldest first. */
  list(): Promise<readonly Snapshot[]>
  /** Puts a snapshot into an empty folder. */
  restore(id: string, folder: string): Promise<void>
  /** Reads everything, or one of four parts (1 to 4) of the data with all of the structure. */
  check(part?: number): Promise<void>
  /** Throws away what is older than the retention wants of this agent; gives what is left. */
  forget(agent: string): Promise<readonly Snapshot[]>
}
