import { providerFetch } from './provider-fetch.ts'

export type ProviderName = 'anthropic' | 'openai'

/** Where a provider answers. `key`: read again at each request, so that it may be replaced; empty: none is sent. */
export interface ProviderAddress {
  readonly name: ProviderName
  /** With the path that all its addresses begin with: `https://api.anthropic.com/v1`. */
  readonly url: string
  readonly key: () => string
}

/** As messages name it. */
export function sayAddress({ name, url }: Pick<ProviderAddress, 'name' | 'url'>): string {
  return `${name} at ${new URL(url).host}`
}

/** Requests to the provider, with its key. Throw a `ProviderFault` for all but a good answer. */
export function fetchOf(address: ProviderAddress, clock: { now(): number }): typeof fetch {
  const authorize = (headers: Headers) => {
    const key = address.key()
    if (address.name === 'anthropic') headers.set('x-api-key', key)
    else if (key) headers.set('authorization', `Bearer ${key}`)
  }
  return providerFetch(sayAddress(address), authorize, clock)
}
