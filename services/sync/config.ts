import { milliseconds, optional, setting, text, wholeNumber, zoneSettings } from '#runtime/settings.ts'

export const syncSettings = {
  ...zoneSettings,
  /** The program that signs and verifies commits, where the system has no ssh-keygen of its own. */
  sshKeygen: setting('COUNTERSIGN_SSH_KEYGEN', optional(text('the absolute path of ssh-keygen'))),
  hubUrl: setting('COUNTERSIGN_HUB_URL', text('the address of the hub: a path or ssh://…')),
  /** How often an ssh hub is asked for its head; a hub on this machine is watched, and asked five times less often. */
  pollMs: setting('COUNTERSIGN_SYNC_POLL_MS', wholeNumber(100, 600_000, 1_000)),
  /** How often everything is looked at again, whatever the watchers say. */
  reconcileMs: setting('COUNTERSIGN_SYNC_RECONCILE_MS', milliseconds(30_000)),
}
