import { bankSettings, hostAndPort } from '#runtime/bank-settings.ts'
import type { ConfigOf } from '#runtime/config.ts'
import { folder, processSettings, serverPort, setting } from '#runtime/settings.ts'

/** Settings of the browser in a container of its own. */
export const browserSettings = {
  ...processSettings,
  browserProgram: bankSettings.browserProgram,
  browserSandbox: bankSettings.browserSandbox,
  /** Its profile lies in it. */
  browserFolder: setting('COUNTERSIGN_BROWSER_FOLDER', folder()),
  browserPort: setting('COUNTERSIGN_BROWSER_PORT', serverPort(8931)),
  egress: setting('COUNTERSIGN_BROWSER_EGRESS', hostAndPort),
}
export type BrowserConfig = ConfigOf<typeof browserSettings>
