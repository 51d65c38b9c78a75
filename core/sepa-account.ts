import { z } from 'zod'
import { isIban } from './iban.ts'
import { MAX_PAYEE_CHARS, WAY } from './payment-action.ts'
import { sepaFault } from './sepa-text.ts'

/** An account number without blanks; what it must hold is checked by its digits. */
export const ownIban = z
  .string('expected the account number (IBAN) that pays')
  .transform((value) => value.replace(/ /g, '').toUpperCase())
  .refine(isIban, 'expected an account number (IBAN); its check digits are wrong') as z.ZodType<
  string,
  string | undefined
>
export const ownBic = z
  .string('expected the code of a bank (BIC)')
  .regex(/^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$/, 'expected a BIC of 8 or 11 capitals and digits')
export const sepaName = z
  .string('expected a name')
  .max(MAX_PAYEE_CHARS, `expected at most ${MAX_PAYEE_CHARS} characters`)
  .refine(
    (value) => value !== '' && sepaFault(value) === undefined,
    'expected letters, digits and blanks as banks know them',
  )

/** The name of a way to pay, as an action has it. */
export const paymentWay = z
  .string()
  .regex(WAY, 'expected sepa-file, or the name of a bank that is set up')
  .default('sepa-file') as z.ZodType<string, string | undefined>
