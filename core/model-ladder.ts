import type { Breaker } from './breaker.ts'
import { retryWait } from './model-retry.ts'
import type { Clock } from './ports/clock.ts'
import type { AskModel, ModelPurpose, ModelQuestion, ModelReply, ModelSize, UnansweredReason } from './ports/model.ts'
import type { CallFault, CallModel, CallOutcome } from './ports/model-call.ts'
import type { SpendStore } from './ports/spend-store.ts'
import type { Slots } from './slots.ts'
import {
  type CachePercent,
  costOf,
  type ModelPrice,
  type NanoUsd,
  renderUsd,
  spendDay,
  type TokenUsage,
  worstCaseOf,
} from './spend.ts'

/** One model that may be asked. */
export interface Rung {
  readonly size: ModelSize
  readonly provider: string
  /** As a draft names it: `anthropic:…`. */
  readonly model: string
  readonly price: ModelPrice
  readonly cache: CachePercent
  readonly ask: CallModel
  /** Shared by all models of the provider. */
  readonly providerBreaker: Breaker
  /** For what is wrong with this model alone. */
  readonly ownBreaker: Breaker
}

export interface LadderLimits {
  readonly callMs: number
  /** For a question with everything that is tried for it. */
  readonly totalMs: number
  /** Requests to one model for one question that may fail. */
  readonly tries: number
  readonly backoffMs: number
  /** What asks for a longer wait is left alone until then instead. */
  readonly longestWaitMs: number
  /** How long what only a changed setting can mend is left alone. */
  readonly deniedMs: number
}

export type CallResult = 'answered' | 'unusable' | 'over-cap' | 'left-alone' | CallFault

/** One request, or why it was not made; without content. */
export interface CallReport {
  readonly rung: Pick<Rung, 'size' | 'provider' | 'model'>
  readonly question: Pick<ModelQuestion<unknown>, 'purpose' | 'taskId'>
  readonly result: CallResult
  readonly ms: number
  readonly cost: NanoUsd
  readonly usage: TokenUsage | undefined
}

export interface LadderDeps {
  /** In the order they are tried for a large question. */
  readonly rungs: readonly Rung[]
  readonly spend: SpendStore
  readonly cap: NanoUsd
  readonly slots: Slots
  readonly clock: Clock
  readonly limits: LadderLimits
  /** Resolves after so many ms; throws what the signal is aborted with. */
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  /** At least 0, less than 1. */
  readonly random: () => number
  readonly report: (report: CallReport) => Promise<void>
  readonly answered: (purpose: ModelPurpose, outcome: 'answered' | UnansweredReason) => void
  /** What could not be written down. */
  readonly fault: (error: unknown, doing: string) => void
}

type Stop = { readonly kind: 'stop'; readonly reason: UnansweredReason; readonly say: string }
type Attempt<T> =
  | { readonly kind: 'value'; readonly value: T; readonly cost: NanoUsd }
  | { readonly kind: 'problem'; readonly problem: string; readonly isFinal: boolean; readonly cost: NanoUsd }
  | (Extract<CallOutcome, { kind: 'failed' }> & { readonly cost: NanoUsd })
  | (Stop & { readonly cost: NanoUsd })
type Tried<T> = { readonly cost: NanoUsd } & ({ readonly kind: 'value'; readonly value: T } | Stop)

/** The large model, else the small one, else no answer; what each of it costs is taken from the day's cap first. */
export function modelLadder(deps: LadderDeps): AskModel {
  return async <T>(question: ModelQuestion<T>, signal?: AbortSignal): Promise<ModelReply<T>> => {
    const { totalMs } = deps.limits
    const deadline = deps.clock.now() + Math.min(question.withinMs ?? totalMs, totalMs)
    const said: string[] = []
    let cost: NanoUsd = 0n
    let reason: UnansweredReason = 'not-configured'
    for (const rung of rungsFor(question.size, deps.rungs)) {
      const tried = await tryRung(rung, question, deadline, signal, deps)
      cost += tried.cost
      if (tried.kind === 'value') {
        deps.answered(question.purpose, 'answered')
        return { kind: 'answered', value: tried.value, model: rung.model, costUsd: renderUsd(cost) }
      }
      reason = tried.reason
      said.push(`${rung.model}: ${tried.say}`)
    }
    deps.answered(question.purpose, reason)
    return { kind: 'unanswered', reason, say: said.join('; ') || 'no model is set up', costUsd: renderUsd(cost) }
  }
}

/** A single model serves both sizes, and one that is named for both is tried once. */
function rungsFor(size: ModelSize, rungs: readonly Rung[]): readonly Rung[] {
  const fitting = size === 'large' ? rungs : rungs.filter((rung) => rung.size === 'small')
  const chosen = fitting.length > 0 ? fitting : rungs
  return chosen.filter(({ model }, index) => chosen.findIndex((one) => one.model === model) === index)
}

async function tryRung<T>(
  rung: Rung,
  question: ModelQuestion<T>,
  deadline: number,
  signal: AbortSignal | undefined,
  deps: LadderDeps,
): Promise<Tried<T>> {
  const { limits, clock } = deps
  let cost: NanoUsd = 0n
  let failures = 0
  let problem = ''
  const stop = (reason: UnansweredReason, say: string): Tried<T> => ({ kind: 'stop', reason, say, cost })
  for (;;) {
    const left = deadline - clock.now()
    if (left <= 0) return stop('unreachable', 'no time was left to ask it')
    const attempt = await attemptOnce(rung, question, problem, Math.min(left, limits.callMs), signal, deps)
    cost += attempt.cost
    if (attempt.kind === 'value') return { ...attempt, cost }
    if (attempt.kind === 'stop') return stop(attempt.reason, attempt.say)
    if (attempt.kind === 'problem') {
      if (problem || attempt.isFinal) return stop('unusable', `it gave no usable answer: ${attempt.problem}`)
      problem = attempt.problem
      continue
    }
    failures++
    const wait = retryWait(attempt, failures, limits, deps.random())
    if (wait === undefined || wait >= deadline - clock.now()) return stop('unreachable', attempt.say)
    await deps.sleep(wait, signal)
  }
}

/** One request: its slot, the breakers, the debit, the call, the correction, the record. */
async function attemptOnce<T>(
  rung: Rung,
  question: ModelQuestion<T>,
  problem: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  deps: LadderDeps,
): Promise<Attempt<T>> {
  const giveBack = await deps.slots.take(signal)
  try {
    const began = deps.clock.now()
    const told = (result: CallResult, cost: NanoUsd, usage?: TokenUsage) =>
      deps.report({ rung, question, result, ms: deps.clock.now() - began, cost, usage })
    const prompt = problem ? `${question.prompt}\n\n${repairOf(problem)}` : question.prompt
    const call = {
      instructions: question.instructions,
      prompt,
      formName: question.form.name,
      jsonSchema: question.form.jsonSchema,
      maxOutputTokens: question.maxOutputTokens,
      timeoutMs,
    }
    if (!admitted(rung, began)) {
      await told('left-alone', 0n)
      const until = Math.max(rung.providerBreaker.until, rung.ownBreaker.until)
      const say = `it failed before and is left alone until ${new Date(until).toISOString().slice(0, 16)}Z`
      return { kind: 'stop', reason: 'unreachable', say, cost: 0n }
    }
    const debited = debit(rung, question, call, deps)
    if (debited.kind === 'stop') {
      released(rung)
      if (debited.reason === 'over-cap') await told('over-cap', 0n)
      return { ...debited, cost: 0n }
    }
    const outcome = await rung.ask(call, signal).catch((error: unknown) => {
      // Given up: nobody knows what it cost, so the worst case stays taken.
      released(rung)
      throw error
    })
    const cost = settle(rung, debited, outcome, deps)
    judge(rung, outcome, deps)
    const usage = outcome.kind === 'failed' ? undefined : outcome.usage
    if (outcome.kind === 'failed') {
      await told(outcome.fault, cost)
      return { ...outcome, cost }
    }
    const read = outcome.kind === 'text' ? question.form.read(outcome.text) : undefined
    await told(read?.ok ? 'answered' : 'unusable', cost, usage)
    if (read?.ok) return { kind: 'value', value: read.value, cost }
    return outcome.kind === 'unusable'
      ? { kind: 'problem', problem: outcome.problem, isFinal: outcome.isFinal, cost }
      : { kind: 'problem', problem: read?.problem ?? '', isFinal: false, cost }
  } finally {
    giveBack()
  }
}

/** `problem` holds none of the model's words: nothing that a stranger made it say is repeated to it as ours. */
function repairOf(problem: string): string {
  return `An earlier answer to this could not be used: ${problem}. Answer again, completely, with nothing but the JSON that was asked for.`
}

function admitted(rung: Rung, now: number): boolean {
  if (!rung.providerBreaker.admit(now)) return false
  if (rung.ownBreaker.admit(now)) return true
  rung.providerBreaker.released()
  return false
}

function released(rung: Rung): void {
  rung.providerBreaker.released()
  rung.ownBreaker.released()
}

type Debited = { readonly kind: 'debited'; readonly id: number; readonly worst: NanoUsd }

function debit(
  rung: Rung,
  question: Pick<ModelQuestion<unknown>, 'purpose' | 'taskId'>,
  call: Parameters<CallModel>[0],
  deps: LadderDeps,
): Debited | Stop {
  const at = deps.clock.now()
  const texts = [call.instructions, call.prompt, JSON.stringify(call.jsonSchema)]
  const worst = worstCaseOf(texts, call.maxOutputTokens, rung.price, rung.cache)
  const { taskId, purpose } = question
  try {
    const day = spendDay(at)
    const { size, model } = rung
    const id = deps.spend.debit({ day, at, taskId, purpose, size, model, amount: worst }, deps.cap)
    if (id !== undefined) return { kind: 'debited', id, worst }
    const spent = renderUsd(deps.spend.ofDay(day).cost)
    const say = `this question may cost up to ${renderUsd(worst)} USD, and ${spent} of ${renderUsd(deps.cap)} USD for today (UTC) are spent`
    return { kind: 'stop', reason: 'over-cap', say }
  } catch (error) {
    deps.fault(error, 'taking what a model may cost from the day’s cap')
    return {
      kind: 'stop',
      reason: 'unreachable',
      say: 'what it may cost could not be written down, so it was not asked',
    }
  }
}

/** What the call cost as far as anyone can know. */
function settle(rung: Rung, { id, worst }: Debited, outcome: CallOutcome, deps: LadderDeps): NanoUsd {
  const usage = outcome.kind === 'failed' ? undefined : outcome.usage
  if (outcome.kind === 'failed' ? outcome.mayCost : usage === undefined) return worst
  const cost = usage ? costOf(usage, rung.price, rung.cache) : 0n
  try {
    deps.spend.settle(id, cost, usage)
    return cost
  } catch (error) {
    deps.fault(error, 'correcting what a model cost')
    return worst
  }
}

function judge(rung: Rung, outcome: CallOutcome, { clock, limits }: LadderDeps): void {
  const now = clock.now()
  if (outcome.kind !== 'failed' || outcome.fault === 'refused') {
    rung.providerBreaker.succeeded()
    rung.ownBreaker.succeeded()
    return
  }
  rung.ownBreaker.released()
  if (outcome.fault === 'unknown-model') {
    rung.providerBreaker.succeeded()
    rung.ownBreaker.openUntil(now + limits.deniedMs)
  } else if (outcome.fault === 'denied') rung.providerBreaker.openUntil(now + limits.deniedMs)
  else if ((outcome.retryAfterMs ?? 0) > limits.longestWaitMs)
    rung.providerBreaker.openUntil(now + Math.min(outcome.retryAfterMs ?? 0, limits.deniedMs))
  else rung.providerBreaker.failed(now)
}
