import { createHash } from 'node:crypto'

/** What a token's file holds; made by `countersign auth gmail`, or by other tools, which leave out the dates. */
export interface GmailToken {
  readonly clientId: string
  readonly clientSecret: string
  readonly refreshToken: string
  /** When it was given and when it ends, ms; Google tells the latter only where it is soon. */
  readonly obtainedAt?: number
  readonly expiresAt?: number
}

/** undefined: the text is no token. */
export function parseGmailToken(text: string): GmailToken | undefined {
  const fields = parsed(text)
  const [clientId, clientSecret, refreshToken] = ['client_id', 'client_secret', 'refresh_token'].map(
    (name) => fields?.[name],
  )
  if (typeof clientId !== 'string' || typeof clientSecret !== 'string' || typeof refreshToken !== 'string')
    return undefined
  const [obtainedAt, expiresAt] = [timeOf(fields?.obtained_at), timeOf(fields?.expires_at)]
  return {
    ...{ clientId, clientSecret, refreshToken },
    ...(obtainedAt !== undefined && { obtainedAt }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

export function renderGmailToken(token: GmailToken): string {
  // Numbers: a date in words would count among the secrets of the file.
  const seconds = (at: number | undefined) => (at === undefined ? undefined : Math.round(at / 1000))
  return `${JSON.stringify(
    {
      client_id: token.clientId,
      client_secret: token.clientSecret,
      refresh_token: token.refreshToken,
      obtained_at: seconds(token.obtainedAt),
      expires_at: seconds(token.expiresAt),
    },
    null,
    2,
  )}\n`
}

/** Names the token without telling it. */
export function tokenName({ refreshToken }: GmailToken): string {
  return createHash('sha256').update(refreshToken).digest('hex').slice(0, 16)
}

function timeOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value < 1e11 ? value * 1000 : undefined
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}
