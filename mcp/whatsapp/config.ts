import type { ConfigOf } from '#runtime/config.ts'
import { folder, processSettings, setting, webAddress, zoneSettings } from '#runtime/settings.ts'

/** What the server needs: the journal of the executor, its public key, and the service that holds the session. */
export const whatsappServerSettings = {
  ...processSettings,
  state: zoneSettings.state,
  trust: zoneSettings.trust,
  whatsappUrl: setting('COUNTERSIGN_WHATSAPP_URL', webAddress('http://127.0.0.1:8790', 0)),
  whatsappState: setting('COUNTERSIGN_WHATSAPP_STATE', folder()),
}
export type WhatsAppServerConfig = ConfigOf<typeof whatsappServerSettings>
