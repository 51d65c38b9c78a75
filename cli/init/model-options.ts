import type { Zone } from '#core/zone-policy.ts'

type Settings = Readonly<Record<string, string>>

const usesProvider = (name: string) => (settings: Settings) =>
  [settings.COUNTERSIGN_MODEL_LARGE, settings.COUNTERSIGN_MODEL_SMALL].some((model) => model?.startsWith(`${name}:`))
const isSet = (name: string) => (settings: Settings) => Boolean(settings[name])
const zone: Zone = 'cloud'

/** What `init cloud` sets of the models; what comes later is asked for only where it is of use. */
export const MODEL_FLAGS = [
  {
    flag: 'model-large',
    setting: 'COUNTERSIGN_MODEL_LARGE',
    about: 'the model that drafts, provider:model (anthropic:… or openai:…)',
    question: 'Model that drafts, as provider:model (anthropic:…, openai:…; empty: none, a template drafts)',
    zone,
  },
  {
    flag: 'model-small',
    setting: 'COUNTERSIGN_MODEL_SMALL',
    about: 'a cheaper one that sorts mail, and drafts at the cap',
    question: 'Cheaper model that sorts mail (empty: the same)',
    zone,
    when: isSet('COUNTERSIGN_MODEL_LARGE'),
  },
  {
    flag: 'openai-url',
    setting: 'COUNTERSIGN_OPENAI_URL',
    about: 'a server of OpenAI’s form; default https://api.openai.com/v1',
    question: 'Its server (empty: https://api.openai.com/v1; Ollama: http://127.0.0.1:11434/v1)',
    zone,
    when: usesProvider('openai'),
  },
  {
    flag: 'anthropic-url',
    setting: 'COUNTERSIGN_ANTHROPIC_URL',
    about: 'default https://api.anthropic.com/v1',
    zone,
  },
  {
    flag: 'model-large-price',
    setting: 'COUNTERSIGN_MODEL_LARGE_PRICE',
    about: 'its price in/out, US dollars for a million tokens: 3/15',
    question: 'Price of the drafting model, US dollars for a million tokens in/out, such as 3/15',
    zone,
    when: isSet('COUNTERSIGN_MODEL_LARGE'),
  },
  {
    flag: 'model-small-price',
    setting: 'COUNTERSIGN_MODEL_SMALL_PRICE',
    about: 'the price of the cheaper one',
    question: 'Price of the cheaper model',
    zone,
    when: isSet('COUNTERSIGN_MODEL_SMALL'),
  },
  {
    flag: 'model-daily-usd',
    setting: 'COUNTERSIGN_MODEL_DAILY_USD',
    about: 'what models may cost in a day (UTC), US dollars; default 2',
    zone,
  },
] as const

export const MODEL_SECRETS = [
  {
    name: 'anthropic-key',
    question: 'API key of Anthropic',
    zone,
    when: usesProvider('anthropic'),
  },
  {
    name: 'openai-key',
    question: 'API key of that server (empty: it wants none)',
    zone,
    when: usesProvider('openai'),
  },
] as const
