import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { CachePercent } from '#core/spend.ts'
import { providerFetch } from './provider-fetch.ts'

export type ProviderName = 'anthropic' | 'openai'
export type LanguageModel = ReturnType<ReturnType<typeof createAnthropic>>
export type Answer = Awaited<ReturnType<LanguageModel['doGenerate']>>

/** Where a provider answers. `key`: read again at each request, so that it may be replaced; empty: none is sent. */
export interface ProviderAddress {
  readonly name: ProviderName
  /** With the path that all its addresses begin with: `https://api.anthropic.com/v1`. */
  readonly url: string
  readonly key: () => string
}

/**
 * Of Anthropic's: what is kept for five minutes costs a quarter more to write and a tenth to read. Of others nothing is
 * known here: a cached token counts as any other.
 */
export const CACHE_PERCENT: Readonly<Record<ProviderName, CachePercent>> = {
  anthropic: { read: 10, write: 125 },
  openai: { read: 100, write: 100 },
}

/** The host, as messages name it. */
export function sayAddress({ name, url }: Pick<ProviderAddress, 'name' | 'url'>): string {
  return `${name} at ${new URL(url).host}`
}

/** One model of the provider, reached by `providerFetch`. */
export function languageModel(address: ProviderAddress, modelId: string, clock: { now(): number }): LanguageModel {
  const { name, url } = address
  const fetch = fetchOf(address, clock)
  // With a key and an address it looks for none in the environment.
  if (name === 'anthropic') return createAnthropic({ baseURL: url, apiKey: 'set by fetch', fetch })(modelId)
  return createOpenAICompatible({
    name: 'openai',
    baseURL: url,
    fetch,
    supportsStructuredOutputs: true,
    // OpenAI itself has given the limit a new name, which other servers do not know.
    ...(new URL(url).hostname === 'api.openai.com' && { transformRequestBody: withNewNameOfLimit }),
  })(modelId)
}

/** A request to the provider, with its key. */
export function fetchOf(address: ProviderAddress, clock: { now(): number }): typeof fetch {
  const authorize = (headers: Headers) => {
    const key = address.key()
    if (address.name === 'anthropic') headers.set('x-api-key', key)
    else if (key) headers.set('authorization', `Bearer ${key}`)
  }
  return providerFetch(sayAddress(address), authorize, clock)
}

function withNewNameOfLimit({ max_tokens, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return { ...rest, max_completion_tokens: max_tokens }
}
