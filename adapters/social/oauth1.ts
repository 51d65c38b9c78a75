import { createHmac } from 'node:crypto'

/** An app's and a user's halves of an OAuth 1.0a credential. */
export interface OAuth1Keys {
  readonly consumerKey: string
  readonly consumerSecret: string
  readonly token: string
  readonly tokenSecret: string
}

export interface SignedRequest {
  readonly method: string
  /** Without the query. */
  readonly url: string
  /** Of the query, and of the body when that is a form; a JSON body is not signed (RFC 5849 §3.4.1.3). */
  readonly parameters: Readonly<Record<string, string>>
  readonly nonce: string
  /** s */
  readonly timestamp: number
}

/** The Authorization header of a request, HMAC-SHA1 (RFC 5849). */
export function oauth1Header(request: SignedRequest, keys: OAuth1Keys): string {
  const oauth: Record<string, string> = {
    oauth_consumer_key: keys.consumerKey,
    oauth_nonce: request.nonce,
    oauth_signature_method: 'HMAC-SHA1',
    oauth_timestamp: String(request.timestamp),
    oauth_token: keys.token,
    oauth_version: '1.0',
  }
  oauth.oauth_signature = signature(request, { ...request.parameters, ...oauth }, keys)
  const fields = Object.entries(oauth).map(([name, value]) => `${name}="${encoded(value)}"`)
  return `OAuth ${fields.toSorted().join(', ')}`
}

function signature(request: SignedRequest, parameters: Record<string, string>, keys: OAuth1Keys): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
  const base = [request.method, request.url, pairs.toSorted().join('&')].map(encoded).join('&')
  const key = `${encoded(keys.consumerSecret)}&${encoded(keys.tokenSecret)}`
  return createHmac('sha1', key).update(base).digest('base64')
}

/** RFC 3986: encodeURIComponent leaves five characters that are reserved. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
}
