import type { Dashboard } from './panels.ts'
import { metric } from './promql.ts'
import { perHour, quantile } from './questions.ts'

const spend = `max by (zone) (${metric('countersign_model_day_spend_usd')})`
const cap = `max by (zone) (${metric('countersign_model_day_cap_usd')})`
const inADay = (by: string) => `sum by (${by}) (increase(${metric('countersign_model_cost_usd_total')}[1d]))`

export const MODEL: Dashboard = {
  uid: 'countersign-model',
  title: 'Model cost',
  panels: [
    {
      title: 'Spent today',
      description: 'Since midnight UTC, requests under way at their worst case. Empty without a model.',
      ...{ kind: 'stat', width: 6, unit: 'currencyUSD', queries: [[spend, '{{zone}}']] },
    },
    {
      title: 'Of the day’s cap',
      description: 'At 100 % the smaller model is asked, then none: drafts come from the template.',
      ...{ kind: 'stat', width: 6, unit: 'percentunit', badAbove: 1 },
      queries: [[`${spend} / (${cap} > 0)`, '{{zone}}']],
    },
    {
      title: 'Questions without an answer',
      description: 'By reason, in the last 24 h.',
      ...{ kind: 'stat', width: 6, badAbove: 1 },
      queries: [
        [
          `sum by (outcome) (increase(${metric('countersign_model_questions_total', { outcome: ['over-cap', 'unreachable', 'unusable'] })}[1d]))`,
          '{{outcome}}',
        ],
      ],
    },
    {
      title: 'Left alone',
      description: '0: asked. 1: tried once to see whether it is back. 2: failed again and again, and is not asked.',
      ...{ kind: 'stat', width: 6, badAbove: 2 },
      queries: [[`max by (provider) (${metric('countersign_model_breaker_state')})`, '{{provider}}']],
    },
    {
      title: 'Cost by purpose',
      description: 'In the 24 hours before each moment, by the prices of your settings.',
      ...{ kind: 'timeseries', width: 12, unit: 'currencyUSD', queries: [[inADay('purpose'), '{{purpose}}']] },
    },
    {
      title: 'Cost by model',
      description: 'In the 24 hours before each moment.',
      ...{ kind: 'timeseries', width: 12, unit: 'currencyUSD' },
      queries: [[inADay('provider, size'), '{{provider}} {{size}}']],
    },
    {
      title: 'Tokens',
      description: 'In the hour before. What is read from the provider’s cache costs a fraction.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_model_tokens_total', 'size, direction'), '{{size}} {{direction}}']],
    },
    {
      title: 'Requests',
      description: 'By model and what became of them, in the hour before.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_model_requests_total', 'size, outcome'), '{{size}} {{outcome}}']],
    },
    {
      title: 'How long a request takes',
      description: 'Half and 99 of 100 took no longer, in the hour before.',
      ...{ kind: 'timeseries', width: 24, unit: 's' },
      queries: [
        [quantile(0.5, 'countersign_model_request_seconds'), '{{zone}} half'],
        [quantile(0.99, 'countersign_model_request_seconds'), '{{zone}} 99 of 100'],
      ],
    },
  ],
}
