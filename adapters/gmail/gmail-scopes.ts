/** What a token is for. */
export type GmailPermission = 'read' | 'read-and-send'

const SCOPE = 'https://www.googleapis.com/auth/'

/** Exactly what is asked of Google for each. */
export const GMAIL_SCOPES: Readonly<Record<GmailPermission, readonly string[]>> = {
  read: [`${SCOPE}gmail.readonly`],
  'read-and-send': [`${SCOPE}gmail.send`, `${SCOPE}gmail.readonly`],
}
/** What a token may carry besides: it says who somebody is and lets nobody do anything. */
const HARMLESS = ['openid', 'email', 'profile', `${SCOPE}userinfo.email`, `${SCOPE}userinfo.profile`]

/** What is wrong with the scopes that a token has; undefined when it can do what it is for and nothing else. */
export function scopeFault(
  granted: readonly string[],
  may: GmailPermission,
): { readonly say: string; readonly isTooMuch: boolean } | undefined {
  const needed = GMAIL_SCOPES[may]
  const excess = granted.filter((scope) => !needed.includes(scope) && !HARMLESS.includes(scope))
  if (excess.length > 0) return { say: `the token may do too much: ${named(excess)}`, isTooMuch: true }
  const missing = needed.filter((scope) => !granted.includes(scope))
  return missing.length > 0 ? { say: `the token lacks ${named(missing)}`, isTooMuch: false } : undefined
}

function named(scopes: readonly string[]): string {
  return scopes.map((one) => one.replace(SCOPE, '')).join(', ')
}
