import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { CachePercent } from '#core/spend.ts'
import { fetchOf, type ProviderAddress, type ProviderName } from './address.ts'

export type LanguageModel = ReturnType<ReturnType<typeof createAnthropic>>
export type Answer = Awaited<ReturnType<LanguageModel['doGenerate']>>

/**
 * Of Anthropic's: what is kept for five minutes costs a quarter more to write and a tenth to read. Of others nothing is
 * known here: a cached token counts as any other.
 */
export const CACHE_PERCENT: Readonly<Record<ProviderName, CachePercent>> = {
  anthropic: { read: 10, write: 125 },
  openai: { read: 100, write: 100 },
}

/** One model of the provider. */
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

function withNewNameOfLimit({ max_tokens, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return { ...rest, max_completion_tokens: max_tokens }
}
