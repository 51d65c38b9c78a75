import { readFile } from 'node:fs/promises'
import { parseGmailToken } from '#adapters/gmail/gmail-token.ts'
import { revokeGmailToken } from '#adapters/gmail/revoke-token.ts'
import { CountersignError } from '#core/errors.ts'
import { type AuthConversation, type AuthOptions, type Authorised, authoriseGmail } from '../auth-gmail.ts'
import type { ZoneHome } from '../zone-home.ts'

export interface GmailRotation extends Authorised {
  /** `gone`: Google had ended it before. `none`: there was no token. */
  readonly old: 'revoked' | 'gone' | 'none'
}

/**
 * Has Google end this zone's token, then gets another one. In this order: Google ends with a token all that was allowed to its OAuth client,
 * the new one too. Until the person has agreed, this zone reads no mail; a run that ended before is begun again, and asks once more.
 */
export async function rotateGmail(
  home: ZoneHome,
  file: string,
  options: AuthOptions,
  conversation: AuthConversation,
): Promise<GmailRotation> {
  const present = parseGmailToken(await readFile(file, 'utf8').catch(() => ''))
  if (!present && options.clientFile === undefined)
    throw new CountersignError('ERR_USAGE', `rotating ${file}: there is no token; say --client-file, see docs/email.md`)
  const at = home.settings.COUNTERSIGN_GMAIL_URL?.replace(/\/$/, '')
  const old = present ? await revokeGmailToken(present, at && `${at}/revoke`) : 'none'
  return { ...(await authoriseGmail(home, options, conversation)), old }
}
