import { createHash, randomBytes } from 'node:crypto'
import { auth } from '@googleapis/gmail'
import { CountersignError } from '#core/errors.ts'
import { answerOf } from './gmail-faults.ts'
import { GMAIL_SCOPES, type GmailPermission } from './gmail-scopes.ts'
import type { GmailToken } from './gmail-token.ts'

export interface ConsentAsked {
  readonly client: Pick<GmailToken, 'clientId' | 'clientSecret'>
  readonly may: GmailPermission
  /** Whose account it is for; Google offers it first. */
  readonly address: string
  /** Where the browser is sent afterwards: `http://127.0.0.1:<port>`. */
  readonly redirectUri: string
  /** Where Google answers, when it is not Google. */
  readonly endpoints?: { readonly consent: string; readonly token: string }
}

export interface Consent {
  /** To be opened in a browser. */
  readonly url: string
  /** Whether an address is the answer to this very question, and to no other. */
  isAnswer(address: URL): boolean
  /** Exchanges the answer. Throws ERR_MAIL_AUTH when consent was refused, or the answer is taken no more. */
  finish(address: URL): Promise<GmailToken>
}

/** Asks for consent with exactly the scopes of the permission; the code that comes back is of use here only (PKCE). */
export function askConsent(asked: ConsentAsked): Consent {
  const { client, may, address, redirectUri, endpoints } = asked
  const state = randomBytes(32).toString('base64url')
  const codeVerifier = randomBytes(48).toString('base64url')
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: redirectUri,
    scope: GMAIL_SCOPES[may].join(' '),
    state,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    // A token that lasts, and a new one each time.
    access_type: 'offline',
    prompt: 'consent',
    login_hint: address,
  })
  return {
    url: `${endpoints?.consent ?? 'https://accounts.google.com/o/oauth2/v2/auth'}?${query}`,
    isAnswer: (given) => given.searchParams.get('state') === state,
    async finish(given) {
      const code = given.searchParams.get('code')
      const refused = given.searchParams.get('error')
      if (refused !== null || code === null) throw noToken(`Google answered ${(refused ?? 'nothing').slice(0, 100)}`)
      const oauth = new auth.OAuth2({
        ...{ clientId: client.clientId, clientSecret: client.clientSecret, redirectUri },
        ...(endpoints && { endpoints: { oauth2TokenUrl: endpoints.token } }),
        transporterOptions: { timeout: 30_000, redirect: 'error' },
      })
      const { tokens } = await oauth.getToken({ code, codeVerifier }).catch((error: unknown) => {
        const { status, code: cause, say } = answerOf(error)
        throw noToken(`the answer was not taken: ${status ?? cause} ${say}`)
      })
      if (!tokens.refresh_token) throw noToken('Google gave no token that lasts')
      const seconds = 'refresh_token_expires_in' in tokens ? tokens.refresh_token_expires_in : undefined
      const obtainedAt = Date.now()
      return {
        ...client,
        refreshToken: tokens.refresh_token,
        obtainedAt,
        ...(typeof seconds === 'number' && { expiresAt: obtainedAt + seconds * 1000 }),
      }
    },
  }
}

/** The client of a file that Google's console gave: an app for the desktop, or for the web. */
export function parseOAuthClient(text: string): ConsentAsked['client'] | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  const { installed, web } = (json ?? {}) as { installed?: unknown; web?: unknown }
  const { client_id: clientId, client_secret: clientSecret } = (installed ?? web ?? {}) as Record<string, unknown>
  if (typeof clientId !== 'string' || typeof clientSecret !== 'string') return undefined
  return { clientId, clientSecret }
}

function noToken(what: string): CountersignError {
  return new CountersignError('ERR_MAIL_AUTH', `asking Google for a token: ${what}; nothing was written`)
}
