import { auth, gmail, type gmail_v1 } from '@googleapis/gmail'
import { CountersignError } from '#core/errors.ts'

export interface GmailAccount {
  /** The address mail is sent from; the token must belong to it. */
  readonly address: string
  /** JSON with `client_id`, `client_secret` and `refresh_token`; asked for again and again, so that a new one is taken up. */
  credentials(): Promise<string>
  /** Where Google answers, when it is not Google. */
  readonly endpoints?: { readonly api: string; readonly token: string; readonly tokenInfo: string }
}

/** Milliseconds. `sendMs` is also the wait for the answer to the message itself. */
export interface GmailTimings {
  readonly answerMs: number
  readonly sendMs: number
}

export const GMAIL_TIMINGS: GmailTimings = { answerMs: 15_000, sendMs: 120_000 }

const SCOPE = 'https://www.googleapis.com/auth/'
const NEEDED = [`${SCOPE}gmail.send`, `${SCOPE}gmail.readonly`]
/** What a token may carry besides: it says who somebody is and lets nobody do anything. */
const HARMLESS = ['openid', 'email', 'profile', `${SCOPE}userinfo.email`, `${SCOPE}userinfo.profile`]

export interface GmailClient {
  readonly users: gmail_v1.Resource$Users
  /** For every call: never tried again by itself, never sent on to another host. */
  readonly options: {
    readonly retry: false
    readonly redirect: 'error'
    readonly timeout: number
    readonly rootUrl?: string
  }
}

/**
 * Gives clients for one account. Each is made after looking: the token may send and read and nothing else, and it belongs
 * to the account. Throws ERR_MAIL_AUTH or ERR_MAIL_UNREACHABLE.
 */
export function gmailClients(account: GmailAccount, timings: GmailTimings = GMAIL_TIMINGS): () => Promise<GmailClient> {
  let known: { text: string; oauth: ReturnType<typeof oauthOf>; checkedToken?: string } | undefined
  const where = `Gmail as ${account.address}`
  return async () => {
    const text = await account.credentials()
    if (known?.text !== text) known = { text, oauth: oauthOf(text, account, timings.answerMs) }
    const client = known
    const users = gmail({
      version: 'v1',
      auth: client.oauth,
      ...(account.endpoints && { rootUrl: account.endpoints.api }),
    }).users
    const options = {
      retry: false,
      redirect: 'error',
      timeout: timings.answerMs,
      ...(account.endpoints && { rootUrl: account.endpoints.api }),
    } as const
    try {
      const { token } = await client.oauth.getAccessToken()
      if (!token) throw new CountersignError('ERR_MAIL_AUTH', `logging in to ${where}: no access token was given`)
      if (token !== client.checkedToken) checkScopes((await client.oauth.getTokenInfo(token)).scopes, where)
      const { data } = await users.getProfile({ userId: 'me' }, options)
      if (data.emailAddress?.toLowerCase() !== account.address.toLowerCase())
        throw new CountersignError('ERR_MAIL_AUTH', `logging in to ${where}: the token belongs to ${data.emailAddress}`)
      client.checkedToken = token
      return { users, options }
    } catch (error) {
      throw gmailFault(error, where)
    }
  }
}

function oauthOf(text: string, account: GmailAccount, answerMs: number) {
  const { clientId, clientSecret, refreshToken } = readCredentials(text, account.address)
  const oauth = new auth.OAuth2({
    clientId,
    clientSecret,
    ...(account.endpoints && {
      endpoints: { oauth2TokenUrl: account.endpoints.token, tokenInfoUrl: account.endpoints.tokenInfo },
    }),
    transporterOptions: { timeout: answerMs, redirect: 'error' },
  })
  oauth.setCredentials({ refresh_token: refreshToken })
  return oauth
}

function readCredentials(text: string, address: string) {
  const fields = parsed(text)
  const [clientId, clientSecret, refreshToken] = ['client_id', 'client_secret', 'refresh_token'].map(
    (name) => fields?.[name],
  )
  if (typeof clientId === 'string' && typeof clientSecret === 'string' && typeof refreshToken === 'string')
    return { clientId, clientSecret, refreshToken }
  throw new CountersignError(
    'ERR_MAIL_AUTH',
    `logging in to Gmail as ${address}: the token file must be JSON with client_id, client_secret and refresh_token`,
  )
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function checkScopes(granted: readonly string[], where: string): void {
  const name = (scopes: readonly string[]) => scopes.map((one) => one.replace(SCOPE, '')).join(', ')
  const missing = NEEDED.filter((scope) => !granted.includes(scope))
  const excess = granted.filter((scope) => !NEEDED.includes(scope) && !HARMLESS.includes(scope))
  if (missing.length > 0)
    throw new CountersignError('ERR_MAIL_AUTH', `logging in to ${where}: the token lacks ${name(missing)}`)
  if (excess.length > 0)
    throw new CountersignError('ERR_MAIL_AUTH', `logging in to ${where}: the token may do too much: ${name(excess)}`)
}

/** What of a failed call can be told apart; `status` is missing when no answer came. */
export function answerOf(error: unknown): { readonly status?: number; readonly code: string; readonly say: string } {
  const fault = error as { status?: unknown; response?: { status?: unknown }; code?: unknown; message?: unknown }
  const status = Number(fault.response?.status ?? fault.status)
  const cause = (error as { cause?: { code?: unknown } }).cause
  return {
    ...(Number.isInteger(status) && { status }),
    code: String(cause?.code ?? fault.code ?? ''),
    say: String(fault.message ?? 'no answer')
      .replace(/\s+/g, ' ')
      .slice(0, 300),
  }
}

/** Errors of our own pass unchanged. */
export function gmailFault(error: unknown, where: string): CountersignError {
  if (error instanceof CountersignError) return error
  const { status, code, say } = answerOf(error)
  const isRefused = status === 401 || status === 400 || (status === 403 && !/rate ?limit|quota/i.test(say))
  return new CountersignError(
    isRefused ? 'ERR_MAIL_AUTH' : 'ERR_MAIL_UNREACHABLE',
    `asking ${where}: ${status ?? code} ${say}`,
    { cause: error },
  )
}
