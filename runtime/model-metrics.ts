import type { Definition } from './metrics.ts'

const PROVIDERS = ['anthropic', 'openai'] as const
const SIZES = ['large', 'small'] as const
const PURPOSES = ['classify', 'reply', 'post', 'invoice'] as const

/** What the processes that ask a model tell of it: part of the catalogue in metrics.ts. */
export const MODEL_METRICS = {
  countersign_model_questions_total: {
    kind: 'counter',
    help: 'Questions for a model, by what became of each with every model and every retry.',
    labels: {
      purpose: PURPOSES,
      outcome: ['answered', 'not-configured', 'over-cap', 'unreachable', 'unusable'],
    },
  },
  countersign_model_requests_total: {
    kind: 'counter',
    help: 'Requests to a model. over-cap: not made, for the day’s cap. left-alone: not made, as it failed before.',
    labels: {
      provider: PROVIDERS,
      size: SIZES,
      purpose: PURPOSES,
      outcome: [
        'answered',
        'unusable',
        'over-cap',
        'left-alone',
        'busy',
        'down',
        'timeout',
        'denied',
        'unknown-model',
        'refused',
      ],
    },
  },
  countersign_model_tokens_total: {
    kind: 'counter',
    help: 'Tokens, as the provider counted them. in: those that were neither read from its cache nor written to it.',
    labels: { provider: PROVIDERS, size: SIZES, direction: ['in', 'cache-read', 'cache-write', 'out'] },
  },
  countersign_model_cost_usd_total: {
    kind: 'counter',
    help: 'What requests cost by the prices of the settings, in US dollars; the worst case where nobody knows.',
    labels: { provider: PROVIDERS, size: SIZES, purpose: PURPOSES },
  },
  countersign_model_request_seconds: {
    kind: 'histogram',
    help: 'How long a request to a model took, whatever came of it.',
    labels: { provider: PROVIDERS, size: SIZES },
    buckets: [0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300],
  },
  countersign_model_breaker_state: {
    kind: 'gauge',
    help: '0: the provider is asked. 1: the next request shows whether it is back. 2: it failed again and again and is left alone.',
    labels: { provider: PROVIDERS },
  },
  countersign_model_day_spend_usd: {
    kind: 'gauge',
    help: 'What models cost today (UTC) in this zone, requests under way at their worst case; in US dollars.',
    labels: {},
  },
  countersign_model_day_cap_usd: {
    kind: 'gauge',
    help: 'What models may cost in a day, in US dollars.',
    labels: {},
  },
} as const satisfies Record<string, Definition>
