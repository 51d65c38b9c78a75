import { chown, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gmailReaders } from '#adapters/gmail/gmail-client.ts'
import { askConsent, type Consent, type ConsentAsked, parseOAuthClient } from '#adapters/gmail/gmail-consent.ts'
import type { GmailPermission } from '#adapters/gmail/gmail-scopes.ts'
import { type GmailToken, parseGmailToken, renderGmailToken } from '#adapters/gmail/gmail-token.ts'
import { replaceFile } from '#adapters/keys/replace-file.ts'
import { CountersignError } from '#core/errors.ts'
import { gmailServer } from '#runtime/mail-accounts.ts'
import { mailboxEntries } from '#runtime/mailboxes.ts'
import { renewGuard } from './countersign-key.ts'
import { listenOnLoopback } from './wait-for-answer.ts'
import type { ZoneHome } from './zone-home.ts'

export interface AuthOptions {
  readonly clientFile?: string
  /** Of further mailboxes: its name. */
  readonly mailbox?: string
  readonly port: number
  readonly timeoutMinutes: number
}

/** What the person is shown and can say meanwhile. */
export interface AuthConversation {
  /** The address to open, and where the answer will be waited for. */
  show(url: string, redirectUri: string): void
  /** The address that the browser ended at, typed in by hand; for ever pending where nobody can type. */
  pasted(): Promise<string>
}

export interface Authorised {
  readonly file: string
  readonly address: string
  readonly may: GmailPermission
  readonly expiresAt?: number
  readonly steps: readonly string[]
}

/**
 * Gets a token for this zone with exactly the scopes it may have, by the person's consent in a browser, and writes it
 * among the zone's secrets. A token with other scopes, or of another account, is not written. Throws ERR_MAIL_AUTH, ERR_USAGE.
 */
export async function authoriseGmail(
  home: ZoneHome,
  options: AuthOptions,
  conversation: AuthConversation,
): Promise<Authorised> {
  const { file, address } = await targetOf(home, options.mailbox)
  const may: GmailPermission = home.zone === 'cloud' ? 'read' : 'read-and-send'
  const server = gmailServer(home.settings.COUNTERSIGN_GMAIL_URL)
  const client = await clientOf(file, options.clientFile)
  const token = await grantedToken({ client, may, address, ...consentServer(home) }, options, conversation)
  const text = renderGmailToken(token)
  // Asks Google what was granted, and whose account it is: whoever unticks a box, or takes another account, is told.
  await gmailReaders({ address, may, credentials: async () => text, ...server })()
  await replaceFile(file, text, 0o600)
  const { uid, gid } = await stat(home.secrets)
  if (process.getuid?.() === 0) await chown(file, uid, gid)
  const steps = await renewGuard(home)
  return { file, address, may, ...(token.expiresAt !== undefined && { expiresAt: token.expiresAt }), steps }
}

async function targetOf(home: ZoneHome, mailbox: string | undefined): Promise<{ file: string; address: string }> {
  if (mailbox === undefined) {
    const address = home.settings.COUNTERSIGN_OWNER_ADDRESS
    if (!address)
      throw new CountersignError('ERR_USAGE', `auth gmail: ${home.envFile} names no COUNTERSIGN_OWNER_ADDRESS`)
    const name = home.zone === 'cloud' ? 'gmail-read-token' : 'gmail-token'
    return { file: join(home.secrets, name), address }
  }
  const path = join(home.mailboxes, 'mailboxes.json')
  const found = home.zone === 'cloud' ? mailboxEntries(path).find(({ name }) => name === mailbox) : undefined
  if (found?.provider !== 'gmail')
    throw new CountersignError(
      'ERR_USAGE',
      `auth gmail --mailbox ${mailbox}: ${path} names no Gmail mailbox of that name`,
    )
  return { file: found.token_file, address: found.address }
}

/** The client of the file that Google gave, or the one that the present token was made with. */
async function clientOf(tokenFile: string, clientFile: string | undefined): Promise<ConsentAsked['client']> {
  const present = parseGmailToken(await readFile(tokenFile, 'utf8').catch(() => ''))
  if (clientFile === undefined && present) return present
  if (clientFile === undefined)
    throw new CountersignError(
      'ERR_USAGE',
      'auth gmail: there is no token yet, so say --client-file: the JSON of your OAuth client, see docs/email.md',
    )
  const client = parseOAuthClient(await readFile(clientFile, 'utf8').catch(() => ''))
  if (client) return client
  throw new CountersignError(
    'ERR_USAGE',
    `auth gmail: ${clientFile} cannot be read, or is not what Google's console gives for a desktop app (an object "installed")`,
  )
}

async function grantedToken(
  asked: Omit<ConsentAsked, 'redirectUri'>,
  { port, timeoutMinutes }: AuthOptions,
  conversation: AuthConversation,
): Promise<GmailToken> {
  let consent: Consent | undefined
  using loopback = await listenOnLoopback(port, (address) => consent?.isAnswer(address) ?? false)
  consent = askConsent({ ...asked, redirectUri: loopback.redirectUri })
  conversation.show(consent.url, loopback.redirectUri)
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const message = `asking Google for a token: no answer within ${timeoutMinutes} minutes; nothing was written, run it again`
    late.reject(new CountersignError('ERR_MAIL_AUTH', message))
  }, timeoutMinutes * 60_000)
  try {
    return await consent.finish(
      await Promise.race([loopback.answer, pastedAnswer(consent, conversation), late.promise]),
    )
  } finally {
    clearTimeout(timer)
  }
}

async function pastedAnswer(consent: Consent, conversation: AuthConversation): Promise<URL> {
  const address = URL.parse((await conversation.pasted()).trim())
  if (address && consent.isAnswer(address)) return address
  throw new CountersignError(
    'ERR_USAGE',
    'auth gmail: that is not the address this question was answered at; copy the whole of it, from http://127.0.0.1 on. Nothing was written',
  )
}

function consentServer(home: ZoneHome): Pick<ConsentAsked, 'endpoints'> {
  const at = home.settings.COUNTERSIGN_GMAIL_URL?.replace(/\/$/, '')
  return at ? { endpoints: { consent: `${at}/o/oauth2/v2/auth`, token: `${at}/token` } } : {}
}
