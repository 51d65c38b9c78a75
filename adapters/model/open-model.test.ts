import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { answerForm } from '#core/answer-form.ts'
import type { TaskId } from '#core/ids.ts'
import type { LedgerData } from '#core/ledger.ts'
import type { ModelQuestion } from '#core/ports/model.ts'
import { type Env, parseConfig } from '#runtime/config.ts'
import { createMetrics, type Metrics } from '#runtime/metrics.ts'
import { modelSettings, modelsOf } from '#runtime/model-settings.ts'
import { completion, json, message, type StandIn, standIn } from '#tests/support/model/provider.ts'
import { type ModelDeps, openModel } from './open-model.ts'

const TASK = '01J8Z3W6Q0ABCDEFGHJKABCDEF' as TaskId
const QUESTION: ModelQuestion<{ text: string }> = {
  ...{ purpose: 'reply', size: 'large', taskId: TASK, instructions: 'You answer mail.', prompt: 'What is asked?' },
  ...{ form: answerForm('reply', z.strictObject({ text: z.string() })), maxOutputTokens: 200 },
}

let stateDir: string
let server: StandIn
let metrics: Metrics
let entries: { type: string; task?: string; data?: LedgerData }[]
let warnings: string[]
let deps: ModelDeps
beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'model-'))
  server = await standIn()
  metrics = createMetrics({ service: 'drafter', zone: 'cloud', version: '0.0.0' })
  entries = []
  warnings = []
  deps = {
    ...{ metrics, stateDir, clock: { now: () => Date.parse('2026-11-30T10:00:00Z') } },
    log: { debug() {}, info() {}, warn: (_fields, text) => void warnings.push(text), error() {} },
    ledger: {
      append: async (type, entry) => {
        entries.push({ type, ...entry })
        return { seq: 1, at: '', agent: 'cloud', type, prev: '', hash: '' }
      },
    },
    sleep: async () => {},
  }
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(stateDir, { recursive: true })
})

function open(env: Env) {
  const verdict = parseConfig(modelSettings, { COUNTERSIGN_OPENAI_URL: server.url, ...env })
  if (!verdict.ok) throw new Error(verdict.faults.join('\n'))
  return openModel(modelsOf(verdict.config), deps)
}

describe('models of the settings', () => {
  it('answer, and every request is accounted for without a word of it', async () => {
    using ask = open({ COUNTERSIGN_MODEL_LARGE: 'openai:llama3.2', COUNTERSIGN_MODEL_LARGE_PRICE: '3/15' })
    server.answers(json(500, ''), completion('{"text":"Good morning"}'))
    expect(await ask(QUESTION)).toEqual({
      ...{ kind: 'answered', value: { text: 'Good morning' }, model: 'openai:llama3.2', costUsd: '0.0006' },
    })
    expect(entries.map(({ type, task, data }) => [type, task, data?.outcome, data?.cost_usd])).toEqual([
      ['model.asked', TASK, 'down', '0'],
      ['model.asked', TASK, 'answered', '0.0006'],
    ])
    expect(entries[1]?.data).toMatchObject({ model: 'openai:llama3.2', tokens_in: 100, tokens_out: 20 })
    expect(JSON.stringify(entries)).not.toMatch(/Good morning|What is asked/)
    const exposed = await metrics.expose()
    const value = (name: string) => Number(new RegExp(`^${name}.*? ([^ ]+)$`, 'm').exec(exposed)?.[1])
    const labels = 'service="drafter",zone="cloud"'
    expect(exposed).toContain(
      'countersign_model_requests_total{provider="openai",size="large",purpose="reply",outcome="answered",' +
        `${labels}} 1`,
    )
    expect(exposed).toContain(
      `countersign_model_tokens_total{provider="openai",size="large",direction="in",${labels}} 100`,
    )
    expect(value('countersign_model_day_spend_usd')).toBe(0.0006)
    expect(value('countersign_model_day_cap_usd')).toBe(2)
    expect(value('countersign_model_breaker_state')).toBe(0)
  })

  it('of two providers are one ladder', async () => {
    const keyFile = join(stateDir, 'key')
    await (await import('node:fs/promises')).writeFile(keyFile, 'k')
    using ask = open({
      ...{ COUNTERSIGN_MODEL_LARGE: 'anthropic:big', COUNTERSIGN_MODEL_SMALL: 'openai:small' },
      ...{ COUNTERSIGN_ANTHROPIC_URL: server.url, COUNTERSIGN_ANTHROPIC_KEY_FILE: keyFile },
    })
    server.answers(
      message([{ type: 'text', text: 'no' }]),
      message([{ type: 'text', text: '' }]),
      completion('{"text":"x"}'),
    )
    expect(await ask(QUESTION)).toMatchObject({ kind: 'answered', model: 'openai:small' })
    expect(server.asked.map(({ path }) => path)).toEqual(['/v1/messages', '/v1/messages', '/v1/chat/completions'])
  })

  it('cost nothing on this machine, and the dearest where no price is set', () => {
    open({ COUNTERSIGN_MODEL_LARGE: 'openai:llama3.2' })[Symbol.dispose]()
    expect(warnings).toEqual([])
    open({ COUNTERSIGN_MODEL_LARGE: 'openai:x', COUNTERSIGN_OPENAI_URL: 'https://llm.example/v1' })[Symbol.dispose]()
    expect(warnings).toEqual([expect.stringContaining('30/150 US dollars for a million tokens')])
  })

  it('share one day’s cap, over a restart too', async () => {
    const env = {
      ...{ COUNTERSIGN_MODEL_LARGE: 'openai:m', COUNTERSIGN_MODEL_LARGE_PRICE: '3/15' },
      COUNTERSIGN_MODEL_DAILY_USD: '0.01',
    }
    server.answers(completion('{"text":"x"}', {}, 'stop', { prompt_tokens: 1_000, completion_tokens: 200 }))
    {
      using ask = open(env)
      expect(await ask(QUESTION)).toMatchObject({ kind: 'answered', costUsd: '0.006' })
    }
    using again = open(env)
    expect(await again(QUESTION)).toMatchObject({ kind: 'unanswered', reason: 'over-cap' })
    expect(server.asked).toHaveLength(1)
  })

  it('that want a key and have none are not asked, and say so', async () => {
    using ask = open({ COUNTERSIGN_MODEL_SMALL: 'anthropic:small', COUNTERSIGN_ANTHROPIC_URL: server.url })
    expect(await ask({ ...QUESTION, size: 'small' })).toMatchObject({
      ...{ kind: 'unanswered', reason: 'unreachable', costUsd: '0' },
      say: expect.stringContaining('there is no key'),
    })
    expect(server.asked).toEqual([])
  })

  it('answer although the ledger cannot be written', async () => {
    deps = { ...deps, ledger: { append: () => Promise.reject(new Error('disk full')) } }
    using ask = open({ COUNTERSIGN_MODEL_LARGE: 'openai:m' })
    server.answers(completion('{"text":"x"}'))
    expect(await ask(QUESTION)).toMatchObject({ kind: 'answered', costUsd: '0' })
  })
})
