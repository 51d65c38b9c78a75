import { modelSettings } from '#runtime/model-settings.ts'
import {
  furtherMailboxSettings,
  mailboxSettings,
  ownerSettings,
  processSettings,
  setting,
  wholeNumber,
  zoneSettings,
} from '#runtime/settings.ts'

export const triageSettings = {
  ...processSettings,
  vault: zoneSettings.vault,
  state: zoneSettings.state,
  ...mailboxSettings,
  ...ownerSettings,
  ...furtherMailboxSettings,
  ...modelSettings,
  /** How far back the first look at a mailbox goes. */
  sinceDays: setting('COUNTERSIGN_TRIAGE_SINCE_DAYS', wholeNumber(0, 365, 3)),
}
