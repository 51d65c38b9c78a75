import { modelSettings } from '#runtime/model-settings.ts'
import {
  folder,
  furtherMailboxSettings,
  mailboxSettings,
  optional,
  ownerSettings,
  processSettings,
  setting,
  wholeNumber,
  zoneSettings,
} from '#runtime/settings.ts'
import { proofSettings } from '#runtime/site-settings.ts'

export const triageSettings = {
  ...processSettings,
  ...proofSettings,
  vault: zoneSettings.vault,
  state: zoneSettings.state,
  /** Who the local agent is. */
  trust: setting('COUNTERSIGN_TRUST', optional(folder())),
  ...mailboxSettings,
  ...ownerSettings,
  ...furtherMailboxSettings,
  ...modelSettings,
  /** How far back the first look at a mailbox goes. */
  sinceDays: setting('COUNTERSIGN_TRIAGE_SINCE_DAYS', wholeNumber(0, 365, 3)),
}
