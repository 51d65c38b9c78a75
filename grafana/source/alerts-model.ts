import type { Alert } from './alerts.ts'
import { metric } from './promql.ts'

const unanswered = metric('countersign_model_questions_total', { outcome: ['unreachable', 'unusable'] })

/** Tickets: without a model, drafts come from the template, and nothing is lost. */
export const MODEL_ALERTS: readonly Alert[] = [
  {
    name: 'CountersignModelCapReached',
    query: `sum by (zone) (increase(${metric('countersign_model_requests_total', { outcome: 'over-cap' })}[1h]))`,
    above: 0,
    severity: 'ticket',
    summary: 'What models may cost today in the {{ $labels.zone }} zone is spent.',
    description:
      'Until midnight UTC the smaller model answers where it still fits, and then the template drafts. The dashboard "Model cost" shows what for.',
  },
  {
    name: 'CountersignModelUnanswered',
    query: `sum by (zone) (increase(${unanswered}[1h]))`,
    above: 2,
    severity: 'ticket',
    summary: 'Questions for a model stay without a usable answer in the {{ $labels.zone }} zone.',
    description:
      'More than two within an hour. Drafts come from the template meanwhile and say so; `countersign doctor` asks the provider and says what is wrong.',
  },
]
