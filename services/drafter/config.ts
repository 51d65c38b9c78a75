import { paymentWay } from '#core/sepa-account.ts'
import { socialAccountList } from '#core/social-accounts.ts'
import { modelSettings } from '#runtime/model-settings.ts'
import { optionalOdooSettings } from '#runtime/odoo-settings.ts'
import { folder, milliseconds, optional, ownerSettings, setting, wholeNumber, zoneSettings } from '#runtime/settings.ts'
import { proofSettings } from '#runtime/site-settings.ts'

export const drafterSettings = {
  ...zoneSettings,
  ...proofSettings,
  ...ownerSettings,
  ...modelSettings,
  /** Unset: no draft invoices are made. */
  ...optionalOdooSettings,
  skills: setting('COUNTERSIGN_SKILLS', folder('./skills')),
  /** The owner's skills: each file there goes before the one of the same name that came with the program. */
  skillsOwn: setting('COUNTERSIGN_SKILLS_OWN', optional(folder())),
  socialAccounts: setting('COUNTERSIGN_SOCIAL_ACCOUNTS', socialAccountList),
  /** How bills are to be paid, unless the person writes another way: `sepa-file`, or a bank's name. */
  paymentWay: setting('COUNTERSIGN_PAYMENT_WAY', paymentWay),
  /** Drafts worked on at once. */
  concurrency: setting('COUNTERSIGN_DRAFTER_CONCURRENCY', wholeNumber(1, 16, 2)),
  /** How often claimed tasks are looked for without a doorbell. */
  reconcileMs: setting('COUNTERSIGN_DRAFTER_RECONCILE_MS', milliseconds(15_000)),
  /** Days until an undecided draft expires. */
  expiresDays: setting('COUNTERSIGN_DRAFT_EXPIRES_DAYS', wholeNumber(1, 365, 14)),
}
