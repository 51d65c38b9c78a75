import type { ConfigOf } from '#runtime/config.ts'
import { odooSettings, processSettings, zoneSettings } from '#runtime/settings.ts'

/** What the server needs to look and draft, in either zone. */
export const cloudSettings = { ...processSettings, vault: zoneSettings.vault, ...odooSettings }
export type CloudConfig = ConfigOf<typeof cloudSettings>

/** What it needs besides to act: the journal, and the public countersigning key, of trust/. */
export const localSettings = { ...cloudSettings, state: zoneSettings.state, trust: zoneSettings.trust }
