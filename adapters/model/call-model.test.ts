import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CallOutcome, ModelCall } from '#core/ports/model-call.ts'
import { type Answering, completion, json, message, type StandIn, standIn } from '#tests/support/model/provider.ts'
import type { ProviderName } from './address.ts'
import { type AnswersBy, callModel } from './call-model.ts'
import { languageModel } from './providers.ts'

const KEY = 'sk-test-do-not-show-0123456789'
const CALL: ModelCall = {
  instructions: 'You answer mail.',
  prompt: 'What is asked?',
  formName: 'reply',
  jsonSchema: {
    type: 'object',
    properties: { text: { type: 'string' } },
    required: ['text'],
    additionalProperties: false,
  },
  maxOutputTokens: 500,
  timeoutMs: 10_000,
}

let server: StandIn
beforeEach(async () => {
  server = await standIn()
})
afterEach(() => server[Symbol.asyncDispose]())

async function call(
  provider: ProviderName,
  answer: Answering,
  options: { by?: AnswersBy; signal?: AbortSignal; timeoutMs?: number; key?: () => string } = {},
): Promise<CallOutcome> {
  server.answers(answer)
  const address = { name: provider, url: server.url, key: options.key ?? (() => KEY) }
  const model = languageModel(address, 'model-1', { now: () => Date.parse('2026-11-30T10:00:00Z') })
  const ask = callModel(model, 'model-1 of the stand-in', options.by ?? 'schema')
  return ask({ ...CALL, timeoutMs: options.timeoutMs ?? CALL.timeoutMs }, options.signal)
}

describe('a server of OpenAI’s form', () => {
  it('is given the schema and no tool, and its answer and tokens come back', async () => {
    expect(await call('openai', completion('{"text":"hi"}'))).toEqual({
      kind: 'text',
      text: '{"text":"hi"}',
      usage: { input: 100, cacheRead: 0, cacheWrite: 0, output: 20 },
    })
    const [asked] = server.asked
    expect(asked?.path).toBe('/v1/chat/completions')
    expect(asked?.headers.authorization).toBe(`Bearer ${KEY}`)
    expect(asked?.body).toMatchObject({
      model: 'model-1',
      max_tokens: 500,
      messages: [{ role: 'system', content: 'You answer mail.' }, { role: 'user' }],
      response_format: { type: 'json_schema', json_schema: { name: 'reply', strict: false, schema: CALL.jsonSchema } },
    })
    expect(Object.keys(asked?.body ?? {})).not.toContain('tools')
  })

  it('is given the schema in words where it takes none', async () => {
    await call('openai', completion('{}'), { by: 'prompt' })
    const body = server.asked[0]?.body as { response_format: unknown; messages: { content: string }[] }
    expect(body.response_format).toEqual({ type: 'json_object' })
    expect(body.messages[0]?.content).toContain(JSON.stringify(CALL.jsonSchema))
  })

  it('needs no key', async () => {
    await call('openai', completion('{}'), { key: () => '' })
    expect(server.asked[0]?.headers.authorization).toBeUndefined()
  })

  it.each([
    ['none', {}],
    ['zeros', { prompt_tokens: 0, completion_tokens: 0 }],
  ])('that counts no tokens (%s) leaves the worst case standing', async (_what, usage) => {
    expect(await call('openai', completion('{}', {}, 'stop', usage))).toMatchObject({ kind: 'text', usage: undefined })
  })

  it.each([
    [
      'a tool that nobody offered',
      completion(
        null,
        { tool_calls: [{ id: 't', type: 'function', function: { name: 'send_mail', arguments: '{}' } }] },
        'tool_calls',
      ),
      'a tool was called, and none is offered',
    ],
    [
      'a tool beside a good answer',
      completion('{"text":"hi"}', {
        tool_calls: [{ id: 't', type: 'function', function: { name: 'x', arguments: '{}' } }],
      }),
      'a tool was called, and none is offered',
    ],
    ['an answer that broke off', completion('{"te', {}, 'length'), 'longer than allowed'],
    ['an answer that a filter stopped', completion('', {}, 'content_filter'), 'filter'],
    ['an end that nobody knows', completion('{}', {}, 'something'), 'did not end'],
  ])('makes %s unusable, and it is paid for', async (_what, answer, problem) => {
    expect(await call('openai', answer)).toMatchObject({
      kind: 'unusable',
      problem: expect.stringContaining(problem),
      usage: { input: 100, output: 20 },
    })
  })
})

describe('Anthropic', () => {
  it('is given schema and cache mark, no tool; what it cached is counted apart', async () => {
    const answer = message([{ type: 'text', text: '{"text":"hi"}' }], 'end_turn', {
      cache_read_input_tokens: 700,
      cache_creation_input_tokens: 30,
    })
    expect(await call('anthropic', answer)).toEqual({
      kind: 'text',
      text: '{"text":"hi"}',
      usage: { input: 100, cacheRead: 700, cacheWrite: 30, output: 20 },
    })
    const [asked] = server.asked
    expect(asked?.path).toBe('/v1/messages')
    expect(asked?.headers['x-api-key']).toBe(KEY)
    expect(asked?.body).toMatchObject({
      model: 'model-1',
      max_tokens: 500,
      system: [{ type: 'text', text: 'You answer mail.', cache_control: { type: 'ephemeral' } }],
      output_config: { format: { type: 'json_schema' } },
    })
    expect(Object.keys(asked?.body ?? {})).not.toContain('tools')
  })

  it('is given the schema in words where the model takes none, and still no tool', async () => {
    await call('anthropic', message([{ type: 'text', text: '{}' }]), { by: 'prompt' })
    expect(server.asked[0]?.body).not.toHaveProperty('output_config')
    expect(server.asked[0]?.body).not.toHaveProperty('tools')
    expect(JSON.stringify(server.asked[0]?.body.system)).toContain('JSON Schema')
  })

  it('makes a tool that nobody offered unusable', async () => {
    const answer = message([{ type: 'tool_use', id: 't', name: 'json', input: { text: 'x' } }], 'tool_use')
    expect(await call('anthropic', answer)).toMatchObject({
      kind: 'unusable',
      problem: expect.stringContaining('tool'),
    })
  })

  it.each([
    ['max_tokens', 'longer than allowed', false],
    ['refusal', 'filter', true],
  ])('that ends with %s gave no answer', async (reason, problem, isFinal) => {
    const outcome = await call('anthropic', message([{ type: 'text', text: '{' }], reason))
    expect(outcome).toMatchObject({ kind: 'unusable', problem: expect.stringContaining(problem), isFinal })
  })
})

const errorBody = (type: string) => ({ type: 'error', error: { type, message: `incorrect key ${KEY}` } })

describe.each(['openai', 'anthropic'] as const)('%s in trouble', (provider) => {
  it.each([
    [
      '401',
      json(401, errorBody('authentication_error')),
      'denied',
      false,
      'does not take the key: 401 (authentication_error)',
    ],
    ['403', json(403, errorBody('permission_error')), 'denied', false, 'forbids'],
    ['404', json(404, errorBody('not_found_error')), 'unknown-model', false, 'knows no such model'],
    ['400', json(400, errorBody('invalid_request_error')), 'refused', false, '400 (invalid_request_error)'],
    ['500', json(500, 'oops'), 'down', false, 'has a fault: 500'],
    ['504', json(504, ''), 'down', true, '504'],
    ['529', json(529, errorBody('overloaded_error')), 'busy', false, 'overloaded'],
    ['no money', json(429, { error: { code: 'insufficient_quota', type: 'x y' } }), 'denied', false, 'paid'],
    ['a redirect', json(307, '', { location: 'http://127.0.0.1:1/v1' }), 'denied', false, 'redirect'],
    ['no JSON', json(200, '<html>hello</html>'), 'down', true, 'something else'],
    ['JSON of another kind', json(200, { hello: 1 }), 'down', true, 'something else'],
    ['an empty body', json(200, ''), 'down', true, 'something else'],
    ['three megabytes', json(200, `"${'x'.repeat(3_000_000)}"`), 'refused', true, 'more than'],
  ])('%s', async (_what, answer, fault, mayCost, say) => {
    const outcome = await call(provider, answer)
    expect(outcome).toMatchObject({ kind: 'failed', fault, mayCost, say: expect.stringContaining(say) })
    expect(JSON.stringify(outcome)).not.toContain(KEY)
    expect(server.asked).toHaveLength(1)
  })

  it.each([
    ['seconds', '7', 7_000],
    ['a date', 'Mon, 30 Nov 2026 10:00:09 GMT', 9_000],
    ['nonsense', 'soon', undefined],
  ])('429 with Retry-After as %s', async (_what, retryAfter, retryAfterMs) => {
    const outcome = await call(provider, json(429, errorBody('rate_limit_error'), { 'retry-after': retryAfter }))
    expect(outcome).toMatchObject({ kind: 'failed', fault: 'busy' })
    expect(outcome.kind === 'failed' && outcome.retryAfterMs).toBe(retryAfterMs)
  })

  it('half an answer, then nothing more', async () => {
    const half: Answering = (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
      response.write('{"id":', () => response.destroy())
    }
    expect(await call(provider, half)).toMatchObject({ kind: 'failed', fault: 'down', mayCost: true })
  })

  it('no answer within the time', async () => {
    const outcome = await call(provider, () => {}, { timeoutMs: 100 })
    expect(outcome).toMatchObject({ kind: 'failed', fault: 'timeout', mayCost: true })
  })

  it('given up by us', async () => {
    const stop = new AbortController()
    const reason = new Error('shutting down')
    const asked = call(provider, () => stop.abort(reason), { signal: stop.signal })
    await expect(asked).rejects.toBe(reason)
  })

  it('nobody there: surely nothing was spent', async () => {
    const { url } = server
    await server[Symbol.asyncDispose]()
    server = await standIn()
    const model = languageModel({ name: provider, url, key: () => KEY }, 'model-1', { now: Date.now })
    expect(await callModel(model, 'x', 'schema')(CALL, undefined)).toMatchObject({
      kind: 'failed',
      fault: 'down',
      mayCost: false,
      say: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('a key file that cannot be read', async () => {
    const key = () => {
      throw new Error('cannot read the secret file /x: ENOENT')
    }
    expect(await call(provider, completion('{}'), { key })).toMatchObject({
      kind: 'failed',
      fault: 'denied',
      mayCost: false,
    })
    expect(server.asked).toEqual([])
  })
})
