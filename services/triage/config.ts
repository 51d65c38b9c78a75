import type { ConfigOf } from '#runtime/config.ts'
import {
  imapSettings,
  optional,
  ownerSettings,
  processSettings,
  secretFile,
  setting,
  wholeNumber,
  zoneSettings,
} from '#runtime/settings.ts'

export const triageSettings = {
  ...processSettings,
  vault: zoneSettings.vault,
  state: zoneSettings.state,
  ...imapSettings,
  /** PEM file of a private certificate authority, or of a self-signed server. */
  imapTlsCa: setting('COUNTERSIGN_IMAP_TLS_CA_FILE', optional(secretFile())),
  ...ownerSettings,
  /** How far back the first look at a mailbox goes. */
  sinceDays: setting('COUNTERSIGN_TRIAGE_SINCE_DAYS', wholeNumber(0, 365, 3)),
}
export type TriageConfig = ConfigOf<typeof triageSettings>
