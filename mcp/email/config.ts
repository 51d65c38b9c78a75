import type { ConfigOf } from '#runtime/config.ts'
import {
  mailboxSettings,
  ownerSettings,
  processSettings,
  sendingSettings,
  setting,
  wholeNumber,
  zoneSettings,
} from '#runtime/settings.ts'

/** What the server needs to look and to draft, in either zone. */
export const cloudSettings = {
  ...processSettings,
  vault: zoneSettings.vault,
  state: zoneSettings.state,
  ...mailboxSettings,
  ...ownerSettings,
  expiresDays: setting('COUNTERSIGN_DRAFT_EXPIRES_DAYS', wholeNumber(1, 365, 14)),
}
export type CloudConfig = ConfigOf<typeof cloudSettings>

/** What it needs besides to act: the public countersigning key, of trust/, too. */
export const localSettings = { ...cloudSettings, ...sendingSettings, trust: zoneSettings.trust }
export type LocalConfig = ConfigOf<typeof localSettings>
