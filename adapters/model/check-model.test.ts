import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Answering, json, type StandIn, standIn } from '#tests/support/model/provider.ts'
import type { ProviderName } from './address.ts'
import { checkModel } from './check-model.ts'

const KEY = 'sk-test-do-not-show-0123456789'
let server: StandIn
beforeEach(async () => {
  server = await standIn()
})
afterEach(() => server[Symbol.asyncDispose]())

function check(name: ProviderName, answer: Answering, id = 'llama3.2') {
  server.answers(answer)
  return checkModel({ name, url: server.url, key: () => KEY }, id, { now: Date.now })
}

it.each([
  ['by its name', 'llama3.2'],
  ['as Ollama lists it', 'llama3.2:latest'],
])('finds a model in the list of a server of OpenAI’s form, %s', async (_how, id) => {
  expect(await check('openai', json(200, { data: [{ id: 'x' }, { id }] }))).toMatch(/answers and has llama3\.2$/)
  expect(server.asked[0]).toMatchObject({ path: '/v1/models', headers: { authorization: `Bearer ${KEY}` } })
})

it('asks Anthropic for the one model', async () => {
  expect(await check('anthropic', json(200, { id: 'm' }), 'claude-x')).toMatch(/takes the key and has claude-x$/)
  expect(server.asked[0]).toMatchObject({
    path: '/v1/models/claude-x',
    headers: { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' },
  })
})

it('a server without a list answers all the same', async () => {
  expect(await check('openai', json(404, {}))).toMatch(/answers; it has no list of models/)
})

it.each([
  [
    'a wrong key',
    'anthropic',
    json(401, { error: { type: 'authentication_error', message: KEY } }),
    /does not take the key: 401/,
  ],
  ['a model that is not there', 'anthropic', json(404, {}), /knows no such model/],
  ['another model', 'openai', json(200, { data: [{ id: 'qwen' }] }), /has no model llama3\.2; it has qwen$/],
  ['no model at all', 'openai', json(200, { data: [] }), /it has none$/],
  ['a page', 'openai', json(200, '<html>'), /something else than JSON/],
  ['another list', 'openai', json(200, { models: [] }), /something else than a list/],
  ['a redirect', 'openai', json(302, '', { location: 'http://127.0.0.1:1/' }), /redirect/],
] as const)('says clearly what is wrong: %s', async (_what, provider, answer, problem) => {
  const asked = check(provider, answer)
  await expect(asked).rejects.toThrow(problem)
  await asked.catch((error: unknown) => expect(String(error)).not.toContain(KEY))
})
