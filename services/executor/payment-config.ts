import { z } from 'zod'
import { isIban } from '#core/iban.ts'
import { sepaFault } from '#core/sepa-text.ts'
import { choice, folder, optional, setting } from '#runtime/settings.ts'

/** An account number without blanks; what it must hold is checked by its digits. */
const ownIban = z
  .string('expected the account number (IBAN) that pays')
  .transform((value) => value.replace(/ /g, '').toUpperCase())
  .refine(isIban, 'expected an account number (IBAN); its check digits are wrong') as z.ZodType<
  string,
  string | undefined
>
const ownBic = z
  .string('expected the code of a bank (BIC)')
  .regex(/^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$/, 'expected a BIC of 8 or 11 capitals and digits')
const sepaName = z
  .string('expected a name')
  .max(70, 'expected at most 70 characters')
  .refine(
    (value) => value !== '' && sepaFault(value) === undefined,
    'expected letters, digits and blanks as banks know them',
  )

/** Files for the bank (docs/payments.md); local zone only. Folder, name and account: all three or none. */
export const sepaSettings = {
  sepaFolder: setting('COUNTERSIGN_SEPA_FOLDER', optional(folder())),
  sepaName: setting('COUNTERSIGN_SEPA_NAME', optional(sepaName)),
  sepaIban: setting('COUNTERSIGN_SEPA_IBAN', optional(ownIban)),
  sepaBic: setting('COUNTERSIGN_SEPA_BIC', optional(ownBic)),
  /** The older layout is for banks that do not take the newer yet. */
  sepaFormat: setting('COUNTERSIGN_SEPA_FORMAT', choice(['pain.001.001.09', 'pain.001.001.03'], 'pain.001.001.09')),
}
