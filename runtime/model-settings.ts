import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import { type ConfigOf, SecretFile } from './config.ts'
import { choice, optional, setting, wholeNumber } from './settings.ts'

const PROVIDERS = ['anthropic', 'openai'] as const

const modelName = z
  .string('expected provider:model')
  .regex(
    /^(anthropic|openai):[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/,
    `expected provider:model, with ${PROVIDERS.join(' or ')} as provider`,
  )

const USD = String.raw`\d{1,9}(\.\d{1,9})?`
const usd = (fallback: string) =>
  z
    .string()
    .regex(new RegExp(`^${USD}$`), 'expected US dollars, such as 2 or 0.50')
    .optional()
    .transform((value) => value ?? fallback)
const price = z
  .string('expected a price')
  .regex(
    new RegExp(`^${USD}/${USD}$`),
    'expected in/out in US dollars for a million tokens, such as 3/15; 0/0 for a model that costs nothing',
  )

/** With the path that all of the provider's addresses begin with; whether it may be http is for config-rules.ts to say. */
const apiAddress = (fallback: string) => {
  const expected = `expected an address such as ${fallback}`
  const isApi = (value: string) => {
    const url = URL.parse(value)
    return (
      url !== null &&
      /^https?:$/.test(url.protocol) &&
      [url.username, url.password, url.hash, url.search].every((part) => part === '')
    )
  }
  return z
    .string(expected)
    .refine(isApi, `${expected}, without user, query or fragment`)
    .optional()
    .transform((value) => (value ?? fallback).replace(/\/+$/, ''))
}

/** A key that may be missing: an empty file, which containers mount where there is none, is no key. */
class KeyFile {
  readonly file: SecretFile

  constructor(path: string) {
    this.file = new SecretFile(path)
  }

  /** Empty: there is none. Throws ERR_CONFIG_INVALID when there is one and it cannot be read. */
  read(): string {
    const { size } = statSync(this.file.path, { throwIfNoEntry: false }) ?? { size: 0 }
    return size === 0 ? '' : this.file.read()
  }

  toString(): string {
    return this.file.toString()
  }
}

const keyFile = z
  .string('expected the path of a file that holds the key')
  .transform((path) => new KeyFile(resolve(path)))

/** Which models may be asked, and what they may cost; nothing set: none is. */
export const modelSettings = {
  modelLarge: setting('COUNTERSIGN_MODEL_LARGE', optional(modelName)),
  modelSmall: setting('COUNTERSIGN_MODEL_SMALL', optional(modelName)),
  modelLargePrice: setting('COUNTERSIGN_MODEL_LARGE_PRICE', optional(price)),
  modelSmallPrice: setting('COUNTERSIGN_MODEL_SMALL_PRICE', optional(price)),
  /** For a day (UTC), of all processes of the zone together. */
  modelDailyUsd: setting('COUNTERSIGN_MODEL_DAILY_USD', usd('2')),
  /** For one request. */
  modelCallMs: setting('COUNTERSIGN_MODEL_CALL_MS', wholeNumber(100, 600_000, 60_000)),
  /** For one question, with every model and every retry. */
  modelTotalMs: setting('COUNTERSIGN_MODEL_TOTAL_MS', wholeNumber(100, 3_600_000, 180_000)),
  /** Requests at once, of each process. */
  modelConcurrency: setting('COUNTERSIGN_MODEL_CONCURRENCY', wholeNumber(1, 16, 2)),
  /** prompt: for servers and models that take no JSON Schema. */
  modelAnswers: setting('COUNTERSIGN_MODEL_ANSWERS', choice(['schema', 'prompt'], 'schema')),
  anthropicUrl: setting('COUNTERSIGN_ANTHROPIC_URL', apiAddress('https://api.anthropic.com/v1')),
  anthropicKey: setting('COUNTERSIGN_ANTHROPIC_KEY_FILE', optional(keyFile)),
  openaiUrl: setting('COUNTERSIGN_OPENAI_URL', apiAddress('https://api.openai.com/v1')),
  openaiKey: setting('COUNTERSIGN_OPENAI_KEY_FILE', optional(keyFile)),
}

type ModelSettings = ConfigOf<typeof modelSettings>

/** Whether any model is set: only then is the code loaded that asks one. */
export function hasModel(config: ModelSettings): boolean {
  return config.modelLarge !== undefined || config.modelSmall !== undefined
}

/** Where the models that the settings name answer. */
export function modelAddresses(
  config: Pick<ModelSettings, 'modelLarge' | 'modelSmall' | 'anthropicUrl' | 'openaiUrl'>,
): string[] {
  return [config.modelLarge, config.modelSmall].flatMap((name) =>
    name === undefined ? [] : [providerOf(name) === 'anthropic' ? config.anthropicUrl : config.openaiUrl],
  )
}

function providerOf(name: string): (typeof PROVIDERS)[number] {
  return PROVIDERS.find((one) => name.startsWith(`${one}:`)) ?? 'openai'
}

/** The models that the settings name, the large one first, as adapters/model takes them. */
export function modelsOf(config: ModelSettings) {
  const named = [
    { size: 'large', name: config.modelLarge, price: config.modelLargePrice },
    { size: 'small', name: config.modelSmall, price: config.modelSmallPrice },
  ] as const
  return {
    models: named.flatMap(({ size, name, price: asked }) =>
      name === undefined ? [] : [modelOf(size, name, asked, config)],
    ),
    dailyUsd: config.modelDailyUsd,
    callMs: config.modelCallMs,
    totalMs: config.modelTotalMs,
    concurrency: config.modelConcurrency,
    answersBy: config.modelAnswers,
  }
}

function modelOf(size: 'large' | 'small', name: string, asked: string | undefined, config: ModelSettings) {
  const provider = providerOf(name)
  const [url, key] =
    provider === 'anthropic' ? [config.anthropicUrl, config.anthropicKey] : [config.openaiUrl, config.openaiKey]
  return {
    size,
    id: name.slice(provider.length + 1),
    address: { name: provider, url, key: () => key?.read() || withoutKey(provider) },
    price: asked,
  }
}

/** A server of OpenAI's form may want none, such as Ollama. */
function withoutKey(provider: (typeof PROVIDERS)[number]): string {
  if (provider === 'openai') return ''
  throw new CountersignError(
    'ERR_CONFIG_INVALID',
    'there is no key: secrets/anthropic-key is empty, or COUNTERSIGN_ANTHROPIC_KEY_FILE not set',
  )
}
