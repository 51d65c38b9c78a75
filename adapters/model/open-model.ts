import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Breaker, makeBreaker } from '#core/breaker.ts'
import { modelLadder, type Rung } from '#core/model-ladder.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { AskModel, ModelSize } from '#core/ports/model.ts'
import { makeSlots } from '#core/slots.ts'
import { type ModelPrice, parsePrice, parseUsd, renderUsd, spendDay } from '#core/spend.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { type ProviderAddress, sayAddress } from './address.ts'
import { type AnswersBy, callModel } from './call-model.ts'
import { CACHE_PERCENT, languageModel } from './providers.ts'
import { reporter } from './report.ts'
import { openSpend } from './spend-sqlite.ts'

export interface ConfiguredModel {
  readonly size: ModelSize
  /** As the provider names it. */
  readonly id: string
  readonly address: ProviderAddress
  /** `in/out`, US dollars for a million tokens. */
  readonly price: string | undefined
}

export interface ModelConfig {
  /** The large one first. */
  readonly models: readonly ConfiguredModel[]
  readonly dailyUsd: string
  readonly callMs: number
  readonly totalMs: number
  readonly concurrency: number
  readonly answersBy: AnswersBy
}

export interface ModelDeps {
  readonly log: Log
  readonly metrics: Metrics
  readonly ledger: LedgerPort
  readonly clock: Clock
  readonly stateDir: string
  /** Whether the last request was answered, or why not. Nothing is asked for this alone: it would cost. */
  readonly onRequest?: (found: true | string) => void
  /** Tests shorten the waits. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}

/** In the zone's state folder. */
const SPEND_FILE = 'spend.sqlite'
/** More than any model costs: whoever forgets the price reaches the cap too early rather than never. */
const ASSUMED_PRICE = '30/150'
const BREAKER = { failures: 5, pauseMs: 30_000, longestPauseMs: 900_000 }
const RETRIES = { tries: 3, backoffMs: 1_000, longestWaitMs: 20_000, deniedMs: 600_000 }
const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 } as const

/** The models of the settings, to be asked; whoever opens it disposes of it. Nothing is sent before a question. */
export function openModel(config: ModelConfig, deps: ModelDeps): AskModel & Disposable {
  const { clock, log, metrics } = deps
  const spend = openSpend(join(deps.stateDir, SPEND_FILE), clock.now())
  const cap = parseUsd(config.dailyUsd) ?? 0n
  const breakers = new Map<ProviderAddress['name'], Breaker>()
  const rungs = config.models.map((one): Rung => {
    const { address, id, size } = one
    const providerBreaker = breakers.get(address.name) ?? makeBreaker(BREAKER)
    breakers.set(address.name, providerBreaker)
    return {
      ...{ size, provider: address.name, model: `${address.name}:${id}` },
      ...{ price: priceOf(one, log), cache: CACHE_PERCENT[address.name] },
      ask: callModel(languageModel(address, id, clock), `${id} of ${sayAddress(address)}`, config.answersBy),
      ...{ providerBreaker, ownBreaker: makeBreaker(BREAKER) },
    }
  })
  metrics.beforeScrape(async () => {
    for (const [provider, breaker] of breakers)
      metrics.set('countersign_model_breaker_state', BREAKER_STATES[breaker.state(clock.now())], { provider })
    metrics.set('countersign_model_day_spend_usd', Number(renderUsd(spend.ofDay(spendDay(clock.now())).cost)), {})
    metrics.set('countersign_model_day_cap_usd', Number(renderUsd(cap)), {})
  })
  const ask = modelLadder({
    ...{ rungs, spend, cap, clock },
    slots: makeSlots(config.concurrency),
    limits: { callMs: config.callMs, totalMs: config.totalMs, ...RETRIES },
    sleep: deps.sleep ?? ((ms, signal) => setTimeout(ms, undefined, signal && { signal })),
    random: Math.random,
    ...reporter(deps),
  })
  return Object.assign(ask, { [Symbol.dispose]: () => spend[Symbol.dispose]() })
}

function priceOf({ id, address, price }: ConfiguredModel, log: Log): ModelPrice {
  const known = parsePrice(price ?? '')
  if (known) return known
  if (isLoopback(address.url)) return { input: 0n, output: 0n }
  log.warn(
    { name: id, host: new URL(address.url).host },
    `the price of this model is not set: ${ASSUMED_PRICE} US dollars for a million tokens in/out are assumed (docs/model.md)`,
  )
  return parsePrice(ASSUMED_PRICE) ?? { input: 0n, output: 0n }
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}
