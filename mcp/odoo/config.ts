import type { ConfigOf } from '#runtime/config.ts'
import { odooSettings, processSettings, zoneSettings } from '#runtime/settings.ts'

/** What the server needs, in either zone: it looks and drafts. */
export const odooServerSettings = { ...processSettings, vault: zoneSettings.vault, ...odooSettings }
export type OdooServerConfig = ConfigOf<typeof odooServerSettings>
