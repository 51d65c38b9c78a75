import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeConfig, type Env, parseConfig } from './config.ts'
import { hasModel, modelSettings, modelsOf } from './model-settings.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function read(env: Env) {
  const verdict = parseConfig(modelSettings, env)
  if (!verdict.ok) throw new Error(verdict.faults.join('\n'))
  return verdict.config
}

describe('the settings of models', () => {
  it('name none by themselves, and a small daily sum', () => {
    const config = read({})
    expect(hasModel(config)).toBe(false)
    expect(modelsOf(config)).toMatchObject({ models: [], dailyUsd: '2' })
  })

  it('name the large one first, each where its provider answers', () => {
    const config = read({
      COUNTERSIGN_MODEL_SMALL: 'openai:llama3.2:3b',
      COUNTERSIGN_MODEL_LARGE: 'anthropic:some-model',
      COUNTERSIGN_OPENAI_URL: 'http://127.0.0.1:11434/v1/',
    })
    expect(hasModel(config)).toBe(true)
    expect(modelsOf(config).models).toMatchObject([
      { size: 'large', id: 'some-model', address: { name: 'anthropic', url: 'https://api.anthropic.com/v1' } },
      { size: 'small', id: 'llama3.2:3b', address: { name: 'openai', url: 'http://127.0.0.1:11434/v1' } },
    ])
  })

  it.each([
    ['COUNTERSIGN_MODEL_LARGE', 'gpt-9'],
    ['COUNTERSIGN_MODEL_LARGE', 'google:gemini'],
    ['COUNTERSIGN_MODEL_LARGE', 'openai:'],
    ['COUNTERSIGN_MODEL_LARGE_PRICE', '3'],
    ['COUNTERSIGN_MODEL_SMALL_PRICE', '3/-1'],
    ['COUNTERSIGN_MODEL_DAILY_USD', '$2'],
    ['COUNTERSIGN_OPENAI_URL', 'ftp://x/v1'],
    ['COUNTERSIGN_OPENAI_URL', 'https://me:secret@llm.example/v1'],
    ['COUNTERSIGN_ANTHROPIC_URL', 'https://x/v1?key=secret'],
    ['COUNTERSIGN_ANTHROPIC_KEY', 'sk-secret'],
  ])('refuse %s=%s, and show no secret', (name, value) => {
    const verdict = parseConfig(modelSettings, { [name]: value })
    expect(verdict).toMatchObject({ ok: false, faults: [expect.stringContaining(name)] })
    expect(JSON.stringify(verdict)).not.toContain('secret@')
    expect(JSON.stringify(verdict)).not.toContain('sk-secret')
  })

  const OPEN = { COUNTERSIGN_MODEL_LARGE: 'openai:m', COUNTERSIGN_OPENAI_URL: 'http://ollama:11434/v1' }
  it.each([
    ['beyond this machine', OPEN, false],
    ['where it is allowed', { ...OPEN, COUNTERSIGN_ALLOW_PLAINTEXT: 'true' }, true],
    ['on this machine', { ...OPEN, COUNTERSIGN_OPENAI_URL: 'http://[::1]:11434/v1' }, true],
    ['where nothing is asked', { ...OPEN, COUNTERSIGN_MODEL_LARGE: 'anthropic:m' }, true],
  ])('http %s: %o is %s', (_where, env, ok) => expect(parseConfig(modelSettings, env).ok).toBe(ok))
})

describe('a key', () => {
  const keyOf = (env: Env) =>
    modelsOf(read({ COUNTERSIGN_MODEL_LARGE: 'openai:m', COUNTERSIGN_MODEL_SMALL: 'anthropic:m', ...env })).models.map(
      ({ address }) => address.key,
    )

  it('is read again each time, and never shown', () => {
    const file = join(folder, 'key')
    writeFileSync(file, 'first\n')
    const env = { COUNTERSIGN_OPENAI_KEY_FILE: file }
    const [key] = keyOf(env)
    expect(key?.()).toBe('first')
    writeFileSync(file, 'second')
    expect(key?.()).toBe('second')
    expect(describeConfig(modelSettings, read(env)).join()).toContain(`(secret in ${file})`)
    expect(JSON.stringify(read(env))).not.toContain('second')
  })

  it('is none in an empty file or a missing one, which Anthropic does not do without', () => {
    const file = join(folder, 'key')
    writeFileSync(file, '')
    const [openai, anthropic] = keyOf({
      COUNTERSIGN_OPENAI_KEY_FILE: file,
      COUNTERSIGN_ANTHROPIC_KEY_FILE: `${file}-x`,
    })
    expect(openai?.()).toBe('')
    expect(() => anthropic?.()).toThrow('there is no key')
  })
})
