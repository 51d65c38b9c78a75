import { ownBic, ownIban, sepaName } from '#core/sepa-account.ts'
import { socialAccountList } from '#core/social-accounts.ts'
import { chatRuleList } from '#core/whatsapp-chat.ts'
import { bankSettings } from '#runtime/bank-settings.ts'
import type { ConfigOf } from '#runtime/config.ts'
import { optionalOdooSettings } from '#runtime/odoo-settings.ts'
import {
  choice,
  folder,
  keySettings,
  mailboxSettings,
  milliseconds,
  notifySettings,
  optional,
  ownerSettings,
  sendingSettings,
  setting,
  socialSettings,
  whatsappSettings,
  wholeNumber,
  zoneSettings,
} from '#runtime/settings.ts'

/** Files for the bank (docs/payments.md); local zone only. Folder, name and account: all three or none. */
const sepaSettings = {
  sepaFolder: setting('COUNTERSIGN_SEPA_FOLDER', optional(folder())),
  sepaName: setting('COUNTERSIGN_SEPA_NAME', optional(sepaName)),
  sepaIban: setting('COUNTERSIGN_SEPA_IBAN', optional(ownIban)),
  sepaBic: setting('COUNTERSIGN_SEPA_BIC', optional(ownBic)),
  /** The older layout is for banks that do not take the newer yet. */
  sepaFormat: setting('COUNTERSIGN_SEPA_FORMAT', choice(['pain.001.001.09', 'pain.001.001.03'], 'pain.001.001.09')),
}

/** Settings of the executor. */
export const executorSettings = {
  ...zoneSettings,
  ...sendingSettings,
  ...mailboxSettings,
  ...ownerSettings,
  ...socialSettings,
  ...sepaSettings,
  ...bankSettings,
  socialAccounts: setting('COUNTERSIGN_SOCIAL_ACCOUNTS', socialAccountList),
  /** Unset: nothing is booked, and bills in Odoo are not looked at before they are paid. */
  ...optionalOdooSettings,
  ...whatsappSettings,
  whatsappChats: setting('COUNTERSIGN_WHATSAPP_CHATS', chatRuleList),
  /** So long a chat must have been quiet before what was written in it becomes a task. */
  whatsappQuietMs: setting('COUNTERSIGN_WHATSAPP_QUIET_MS', milliseconds(20_000)),
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
