import type { ConfigOf } from '#runtime/config.ts'
import {
  folder,
  optional,
  processSettings,
  secretFile,
  setting,
  text,
  wholeNumber,
  zoneSettings,
} from '#runtime/settings.ts'

/** Settings of the queues' board. */
export const boardSettings = {
  ...processSettings,
  redisUrl: zoneSettings.redisUrl,
  redisPassword: zoneSettings.redisPassword,
  host: setting('COUNTERSIGN_BOARD_HOST', text('an address to listen on', '127.0.0.1')),
  /** 0: any free one. */
  port: setting('COUNTERSIGN_BOARD_PORT', wholeNumber(0, 65_535, 8090)),
  password: setting('COUNTERSIGN_BOARD_PASSWORD_FILE', secretFile()),
  /** Where the package of its pages stands; unset: among the packages installed here. */
  pages: setting('COUNTERSIGN_BOARD_PAGES', optional(folder())),
}
export type BoardConfig = ConfigOf<typeof boardSettings>

/** Who guesses is not slowed down: the password itself must be beyond guessing. */
export const MIN_PASSWORD = 16
