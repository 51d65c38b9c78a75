import { flag, milliseconds, setting, text, wholeNumber, zoneSettings } from '#runtime/settings.ts'
import { proofSettings } from '#runtime/site-settings.ts'

export const syncSettings = {
  ...zoneSettings,
  ...proofSettings,
  hubUrl: setting('COUNTERSIGN_HUB_URL', text('the address of the hub: a path or ssh://…')),
  /** How often a hub is asked for its head that does not tell of pushes itself; up to five times less often when idle. */
  pollMs: setting('COUNTERSIGN_SYNC_POLL_MS', wholeNumber(100, 600_000, 1_000)),
  /** Whether whatsapp and payment tasks of the local zone go to the hub like all others. */
  privateDomains: setting('COUNTERSIGN_SYNC_PRIVATE_DOMAINS', flag(false)),
  /** After which hour of the day everything is checked, once a day, by the machine's own clock. */
  checkHour: setting('COUNTERSIGN_SYNC_CHECK_HOUR', wholeNumber(0, 23, 3)),
  /** How often the whole vault and the hub are looked at again, whatever the watchers say. */
  reconcileMs: setting('COUNTERSIGN_SYNC_RECONCILE_MS', milliseconds(600_000)),
}
