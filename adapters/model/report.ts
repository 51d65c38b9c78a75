import type { CallReport, LadderDeps } from '#core/model-ladder.ts'
import { renderUsd } from '#core/spend.ts'
import type { ModelDeps } from './open-model.ts'

/** What the outcome of a request says of the provider; the others say nothing new of it. */
const FOUND: Readonly<Partial<Record<CallReport['result'], true | string>>> = {
  answered: true,
  unusable: true,
  busy: 'it has too much to do, or the account is at its limit',
  down: 'it does not answer, or with a fault of its own',
  timeout: 'no answer within the time limit',
  denied: 'it does not accept the key',
  'unknown-model': 'it knows no such model',
}

/** What is told of each request: metrics, log and ledger, never a word of question or answer. */
export function reporter({
  log,
  metrics,
  ledger,
  onRequest,
}: ModelDeps): Pick<LadderDeps, 'report' | 'answered' | 'fault'> {
  const fault = (err: unknown, doing: string) => log.error({ err }, `${doing} failed`)
  return {
    fault,
    answered: (purpose, outcome) => metrics.count('countersign_model_questions_total', { purpose, outcome }),
    async report(report) {
      count(report, metrics)
      const { rung, question, result, ms } = report
      const fields = { ...(question.taskId && { task: question.taskId }), name: rung.model, outcome: result, ms }
      log.info(fields, `model: ${result}`)
      if (result in FOUND) onRequest?.(FOUND[result] === true || `${rung.model}: ${FOUND[result]}`)
      if (result === 'over-cap' || result === 'left-alone') return
      const entry = { ...(question.taskId && { task: question.taskId }), data: dataOf(report) }
      // An answer that was paid for is not thrown away for it.
      await ledger.append('model.asked', entry).catch((error: unknown) => fault(error, 'recording a model’s answer'))
    },
  }
}

function count({ rung, question, result, ms, cost, usage }: CallReport, metrics: ModelDeps['metrics']): void {
  const provider = rung.provider === 'anthropic' ? 'anthropic' : 'openai'
  const { size } = rung
  const { purpose } = question
  metrics.count('countersign_model_requests_total', { provider, size, purpose, outcome: result })
  if (result === 'over-cap' || result === 'left-alone') return
  metrics.observe('countersign_model_request_seconds', ms / 1_000, { provider, size })
  metrics.count('countersign_model_cost_usd_total', { provider, size, purpose }, Number(renderUsd(cost)))
  if (!usage) return
  const { input, cacheRead, cacheWrite, output } = usage
  for (const [direction, tokens] of Object.entries({
    in: input,
    'cache-read': cacheRead,
    'cache-write': cacheWrite,
    out: output,
  }))
    metrics.count(
      'countersign_model_tokens_total',
      { provider, size, direction: direction as 'in' | 'out' | 'cache-read' | 'cache-write' },
      tokens,
    )
}

function dataOf({ rung, question, result, ms, cost, usage }: CallReport) {
  return {
    ...{
      model: rung.model,
      size: rung.size,
      purpose: question.purpose,
      outcome: result,
      ms,
      cost_usd: renderUsd(cost),
    },
    ...(usage && {
      tokens_in: usage.input,
      tokens_cache_read: usage.cacheRead,
      tokens_cache_write: usage.cacheWrite,
      tokens_out: usage.output,
    }),
  }
}
