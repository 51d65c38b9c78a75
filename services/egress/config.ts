import type { ConfigOf } from '#runtime/config.ts'
import { folder, processSettings, serverPort, setting } from '#runtime/settings.ts'

/** Settings of the way out of the browser's container. */
export const egressSettings = {
  ...processSettings,
  banks: setting('COUNTERSIGN_BANKS', folder()),
  egressPort: setting('COUNTERSIGN_EGRESS_PORT', serverPort(3128)),
}
export type EgressConfig = ConfigOf<typeof egressSettings>
