import { LLMock } from '@copilotkit/aimock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelCall } from '#core/ports/model-call.ts'
import type { ProviderName } from './address.ts'
import { callModel } from './call-model.ts'
import { languageModel } from './providers.ts'

const CALL: ModelCall = {
  ...{ instructions: 'You answer mail.', prompt: 'Where is my invoice?', formName: 'reply', maxOutputTokens: 300 },
  jsonSchema: {
    type: 'object',
    properties: { text: { type: 'string' } },
    required: ['text'],
    additionalProperties: false,
  },
  timeoutMs: 10_000,
}

// Both providers as somebody else wrote them.
let mock: LLMock
beforeEach(async () => {
  mock = new LLMock({ port: 0, strict: true })
  await mock.start()
})
afterEach(() => mock.stop())

const ask = (name: ProviderName) => {
  const model = languageModel({ name, url: `${mock.url}/v1`, key: () => 'k' }, 'some-model', { now: Date.now })
  return callModel(model, 'some-model of the mock', 'schema')(CALL, undefined)
}

describe.each(['openai', 'anthropic'] as const)('%s', (provider) => {
  it('answers, and its tokens are counted', async () => {
    const usage = { prompt_tokens: 40, completion_tokens: 9, input_tokens: 40, output_tokens: 9 }
    mock.onMessage('invoice', { content: '{"text":"On its way"}', usage })
    expect(await ask(provider)).toEqual({
      kind: 'text',
      text: '{"text":"On its way"}',
      usage: { input: 40, cacheRead: 0, cacheWrite: 0, output: 9 },
    })
    expect(mock.getRequests()).toHaveLength(1)
  })

  it('calls a tool that nobody offered', async () => {
    mock.onMessage('invoice', { toolCalls: [{ name: 'send_email', arguments: '{"to":"x@evil.example"}' }] })
    expect(await ask(provider)).toMatchObject({ kind: 'unusable', problem: 'a tool was called, and none is offered' })
  })

  it('is overloaded, and says for how long', async () => {
    mock.onMessage('invoice', { error: { message: 'slow down', type: 'rate_limit_error' }, status: 429, retryAfter: 3 })
    expect(await ask(provider)).toMatchObject({ kind: 'failed', fault: 'busy', retryAfterMs: 3_000, mayCost: false })
    expect(mock.getRequests()).toHaveLength(1)
  })

  it('knows nothing of the question', async () => {
    mock.onMessage('something else', { content: '{}' })
    expect(await ask(provider)).toMatchObject({ kind: 'failed' })
  })
})
