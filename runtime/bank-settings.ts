import { z } from 'zod'
import { choice, folder, optional, setting, text } from './settings.ts'

export const hostAndPort: z.ZodType<string, string | undefined> = z
  .string('expected host:port')
  .regex(/^[A-Za-z0-9.-]{1,253}:[1-9]\d{0,4}$/, 'expected host:port')

/** Payments through banks’ own pages (docs/banks.md); local zone only. */
export const bankSettings = {
  /** A script for each bank; unset: none. */
  banks: setting('COUNTERSIGN_BANKS', optional(folder())),
  /** Chromium’s program, where the browser is started here. */
  browserProgram: setting('COUNTERSIGN_BROWSER', text('the path of Chromium', '/usr/bin/chromium')),
  /** The browser of another container. */
  browserServer: setting('COUNTERSIGN_BROWSER_SERVER', optional(hostAndPort)),
  /** Whether the person sees it. */
  browserWindow: setting('COUNTERSIGN_BROWSER_WINDOW', choice(['on', 'off'], 'off')),
  browserSandbox: setting('COUNTERSIGN_BROWSER_SANDBOX', choice(['on', 'off'], 'on')),
}
