import { socialAccountList } from '#core/social-accounts.ts'
import type { ConfigOf } from '#runtime/config.ts'
import {
  keySettings,
  mailboxSettings,
  milliseconds,
  notifySettings,
  optionalOdooSettings,
  ownerSettings,
  sendingSettings,
  setting,
  socialSettings,
  wholeNumber,
  zoneSettings,
} from '#runtime/settings.ts'

/** Settings of the executor. */
export const executorSettings = {
  ...zoneSettings,
  ...sendingSettings,
  ...mailboxSettings,
  ...ownerSettings,
  ...socialSettings,
  socialAccounts: setting('COUNTERSIGN_SOCIAL_ACCOUNTS', socialAccountList),
  ...optionalOdooSettings,
  ...keySettings,
  ...notifySettings,
  /** How long an approval can be taken back by moving the file. */
  undoMs: setting('COUNTERSIGN_UNDO_MS', milliseconds(10_000)),
  maxRecipients: setting('COUNTERSIGN_MAX_RECIPIENTS', wholeNumber(1, 40, 10)),
  /** So long a note in Inbox/ must have stood unchanged before it is taken: editors save while somebody writes. */
  inboxQuietMs: setting('COUNTERSIGN_INBOX_QUIET_MS', milliseconds(30_000)),
  /** How often everything is looked at without any event. */
  reconcileMs: setting('COUNTERSIGN_EXECUTOR_RECONCILE_MS', milliseconds(10_000)),
}
export type ExecutorConfig = ConfigOf<typeof executorSettings>
