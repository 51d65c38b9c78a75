import { auth, gmail, type gmail_v1 } from '@googleapis/gmail'
import { CountersignError } from '#core/errors.ts'
import type { CredentialNews } from '#core/ports/mail.ts'
import { authCommand, gmailFault } from './gmail-faults.ts'
import { type GmailPermission, scopeFault } from './gmail-scopes.ts'
import { type GmailToken, parseGmailToken, tokenName } from './gmail-token.ts'

export interface GmailAccount {
  /** Whose mailbox it is; the token must belong to it. */
  readonly address: string
  /** What the token must be able to do; with one that can do more nothing is done. */
  readonly may: GmailPermission
  /** The token's file (gmail-token.ts); asked for again and again, so that a new one is taken up. */
  credentials(): Promise<string>
  /** Where Google answers, when it is not Google. */
  readonly endpoints?: { readonly api: string; readonly token: string; readonly tokenInfo: string }
}

/** Milliseconds. `answerMs` is for short answers, `sendMs` for whole messages either way. */
export interface GmailTimings {
  readonly answerMs: number
  readonly sendMs: number
}

export const GMAIL_TIMINGS: GmailTimings = { answerMs: 15_000, sendMs: 120_000 }

export interface GmailClient {
  readonly users: gmail_v1.Resource$Users
  /** For every call: never tried again by itself, never sent on to another host. */
  readonly options: {
    readonly retry: false
    readonly redirect: 'error'
    readonly timeout: number
    readonly rootUrl?: string
  }
  /** Where the mailbox stood when this client was given. */
  readonly historyId: string
}

/** What code that reads gets to see of a client; everything else stands in sending/. */
export interface GmailReader extends Omit<GmailClient, 'users'> {
  readonly users: Pick<gmail_v1.Resource$Users, 'watch'> & {
    readonly messages: Pick<gmail_v1.Resource$Users$Messages, 'list' | 'get'>
    readonly threads: Pick<gmail_v1.Resource$Users$Threads, 'get'>
    readonly history: Pick<gmail_v1.Resource$Users$History, 'list'>
  }
}

interface Known {
  readonly text: string
  readonly token: GmailToken
  readonly oauth: InstanceType<typeof auth.OAuth2>
  checkedToken?: string
  expiresAt?: number
}

export interface GmailClients {
  /** Throws ERR_MAIL_AUTH or ERR_MAIL_UNREACHABLE. */
  (): Promise<GmailClient>
  /** What is known of the token; undefined before the first call. */
  credential(): Omit<CredentialNews, 'isRefused'> | undefined
}

/**
 * Gives clients for one account. Each is made after looking: the token (at each new access token) can do what it is for
 * and nothing else, and it belongs to the account.
 */
export function gmailClients(account: GmailAccount, timings: GmailTimings = GMAIL_TIMINGS): GmailClients {
  let known: Known | undefined
  const where = `Gmail as ${account.address}`
  const rootUrl = account.endpoints && { rootUrl: account.endpoints.api }
  const give = async () => {
    const text = await account.credentials()
    if (known?.text !== text) known = open(text, account, timings.answerMs)
    const client = known
    const { users } = gmail({ version: 'v1', auth: client.oauth, ...rootUrl })
    const options = { retry: false, redirect: 'error', timeout: timings.answerMs, ...rootUrl } as const
    try {
      const { token } = await client.oauth.getAccessToken()
      if (!token) throw new CountersignError('ERR_MAIL_AUTH', `logging in to ${where}: no access token was given`)
      if (token !== client.checkedToken) {
        const fault = scopeFault((await client.oauth.getTokenInfo(token)).scopes, account.may)
        if (fault)
          throw new CountersignError(
            'ERR_MAIL_AUTH',
            `logging in to ${where}: ${fault.say}; run \`${authCommand(account.may)}\``,
            { details: { isTooMuch: fault.isTooMuch } },
          )
      }
      const { data } = await users.getProfile({ userId: 'me' }, options)
      if (data.emailAddress?.toLowerCase() !== account.address.toLowerCase())
        throw new CountersignError('ERR_MAIL_AUTH', `logging in to ${where}: the token belongs to ${data.emailAddress}`)
      client.checkedToken = token
      return { users, options, historyId: data.historyId ?? '' }
    } catch (error) {
      throw gmailFault(error, account)
    }
  }
  return Object.assign(give, {
    credential: () =>
      known && {
        name: tokenName(known.token),
        ...(known.expiresAt !== undefined && { expiresAt: known.expiresAt }),
      },
  })
}

/** The same for code that only reads. */
export function gmailReaders(
  account: GmailAccount,
  timings: GmailTimings = GMAIL_TIMINGS,
): (() => Promise<GmailReader>) & Pick<GmailClients, 'credential'> {
  return gmailClients(account, timings)
}

function open(text: string, account: GmailAccount, answerMs: number): Known {
  const token = parseGmailToken(text)
  if (!token)
    throw new CountersignError(
      'ERR_MAIL_AUTH',
      `logging in to Gmail as ${account.address}: the token file must be JSON with client_id, client_secret and refresh_token`,
    )
  const oauth = new auth.OAuth2({
    clientId: token.clientId,
    clientSecret: token.clientSecret,
    ...(account.endpoints && {
      endpoints: { oauth2TokenUrl: account.endpoints.token, tokenInfoUrl: account.endpoints.tokenInfo },
    }),
    transporterOptions: { timeout: answerMs, redirect: 'error' },
  })
  oauth.setCredentials({ refresh_token: token.refreshToken })
  const known: Known = { text, token, oauth, ...(token.expiresAt !== undefined && { expiresAt: token.expiresAt }) }
  // What Google says now is truer than what the file says.
  oauth.on('tokens', (answer) => {
    const seconds = 'refresh_token_expires_in' in answer ? answer.refresh_token_expires_in : undefined
    if (typeof seconds === 'number') known.expiresAt = Date.now() + seconds * 1000
  })
  return known
}
