import { socialAccountList } from '#core/social-accounts.ts'
import type { ConfigOf } from '#runtime/config.ts'
import { processSettings, setting, socialSettings, wholeNumber, zoneSettings } from '#runtime/settings.ts'

/** What the server needs to draft, in either zone. */
export const cloudSettings = {
  ...processSettings,
  vault: zoneSettings.vault,
  state: zoneSettings.state,
  socialAccounts: setting('COUNTERSIGN_SOCIAL_ACCOUNTS', socialAccountList),
  expiresDays: setting('COUNTERSIGN_DRAFT_EXPIRES_DAYS', wholeNumber(1, 365, 14)),
}
export type CloudConfig = ConfigOf<typeof cloudSettings>

/** What it needs besides to act: the public countersigning key, of trust/, too. */
export const localSettings = { ...cloudSettings, ...socialSettings, trust: zoneSettings.trust }
