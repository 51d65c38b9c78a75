import { CountersignError, messageOf } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { type GmailAccount, gmailReaders } from './gmail-client.ts'

/** Asks Google what the token that this mailbox is read with may do. Never throws. */
export async function proveGmailReads(account: GmailAccount): Promise<Finding> {
  const check = `the Gmail token of ${account.address} can read and do nothing else`
  try {
    await gmailReaders(account)()
    return { check, result: 'ok', found: 'Google says that its one permission is gmail.readonly' }
  } catch (error) {
    const found = messageOf(error)
    if (!(error instanceof CountersignError && error.details.isTooMuch)) return { check, result: 'skipped', found }
    return { check, result: 'failed', found, hint: NEXT }
  }
}

const NEXT =
  'Take the access back (myaccount.google.com/permissions) and make a new token: `countersign auth gmail --zone cloud`.'
