import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { answerForm } from './answer-form.ts'
import { type Breaker, makeBreaker } from './breaker.ts'
import type { TaskId } from './ids.ts'
import { type CallReport, type LadderDeps, modelLadder, type Rung } from './model-ladder.ts'
import type { ModelQuestion, ModelSize } from './ports/model.ts'
import type { CallFault, CallOutcome, ModelCall } from './ports/model-call.ts'
import type { SpendStore } from './ports/spend-store.ts'
import { makeSlots } from './slots.ts'
import { parsePrice, parseUsd, renderUsd, type TokenUsage } from './spend.ts'

const START = Date.parse('2026-11-30T10:00:00Z')
const USAGE: TokenUsage = { input: 1_000, cacheRead: 0, cacheWrite: 0, output: 100 }
const GOOD: CallOutcome = { kind: 'text', text: '{"text":"hi"}', usage: USAGE }
const text = (value: string): CallOutcome => ({ kind: 'text', text: value, usage: USAGE })
const failed = (fault: CallFault, more: { retryAfterMs?: number; mayCost?: boolean } = {}): CallOutcome => ({
  ...{ kind: 'failed', fault, say: `it is ${fault}`, mayCost: false, ...more },
})

const QUESTION: ModelQuestion<{ text: string }> = {
  purpose: 'reply',
  size: 'large',
  taskId: '01J8Z3W6Q0ABCDEFGHJKABCDEF' as TaskId,
  instructions: 'i',
  prompt: 'p',
  form: answerForm('reply', z.strictObject({ text: z.string().max(5) })),
  maxOutputTokens: 100,
}

let now: number
let slept: number[]
let reports: CallReport[]
let debits: Map<number, bigint>
let faults: string[]
let questions: string[]
let asked: Record<ModelSize, ModelCall[]>
let script: Record<ModelSize, (CallOutcome | (() => Promise<CallOutcome>))[]>
let provider: Breaker
let deps: LadderDeps

const sum = () => [...debits.values()].reduce((a, b) => a + b, 0n)
const spend: SpendStore = {
  debit({ amount }, cap) {
    if (sum() + amount > cap) return undefined
    debits.set(debits.size + 1, amount)
    return debits.size
  },
  settle: (id, cost) => void debits.set(id, cost),
  ofDay: () => ({ ...USAGE, cost: sum(), calls: debits.size }),
  ofTask: () => ({ ...USAGE, cost: sum(), calls: debits.size }),
  [Symbol.dispose]() {},
}

function rung(size: ModelSize, price: string): Rung {
  return {
    ...{ size, provider: 'anthropic', model: `anthropic:${size}`, cache: { read: 100, write: 100 } },
    price: parsePrice(price) ?? { input: 0n, output: 0n },
    providerBreaker: provider,
    ownBreaker: makeBreaker({ failures: 5, pauseMs: 1_000, longestPauseMs: 1_000 }),
    ask: async (call) => {
      asked[size].push(call)
      const next = script[size].length > 1 ? script[size].shift() : script[size][0]
      if (next === undefined) throw new Error(`nothing scripted for ${size}`)
      return typeof next === 'function' ? next() : next
    },
  }
}

beforeEach(() => {
  now = START
  ;[slept, reports, faults, questions] = [[], [], [], []]
  debits = new Map()
  asked = { large: [], small: [] }
  script = { large: [GOOD], small: [GOOD] }
  provider = makeBreaker({ failures: 5, pauseMs: 30_000, longestPauseMs: 900_000 })
  deps = {
    rungs: [rung('large', '10/10'), rung('small', '1/1')],
    ...{ spend, cap: parseUsd('1') ?? 0n, slots: makeSlots(2), clock: { now: () => now } },
    limits: { callMs: 60_000, totalMs: 180_000, tries: 3, backoffMs: 1_000, longestWaitMs: 20_000, deniedMs: 600_000 },
    sleep: async (ms) => {
      slept.push(ms)
      now += ms
    },
    random: () => 0,
    report: async (report) => void reports.push(report),
    answered: (purpose, outcome) => void questions.push(`${purpose} ${outcome}`),
    fault: (_error, doing) => void faults.push(doing),
  }
})

const ask = (question: Partial<typeof QUESTION> = {}, signal?: AbortSignal) =>
  modelLadder(deps)({ ...QUESTION, ...question }, signal)
const results = () => reports.map((one) => `${one.rung.size} ${one.result}`)

describe('a question', () => {
  it('is answered by the large model, and costs what was counted', async () => {
    expect(await ask()).toEqual({
      ...{ kind: 'answered', value: { text: 'hi' }, model: 'anthropic:large', costUsd: '0.011' },
    })
    expect(renderUsd(sum())).toBe('0.011')
    expect(results()).toEqual(['large answered'])
    expect(questions).toEqual(['reply answered'])
    expect(asked.large[0]).toMatchObject({ instructions: 'i', prompt: 'p', maxOutputTokens: 100, timeoutMs: 60_000 })
  })

  it('tries a model that is named for both sizes once', async () => {
    const [large, small] = deps.rungs as [Rung, Rung]
    deps = { ...deps, rungs: [large, { ...small, model: large.model }] }
    script.large = [text('{"text":"much too long"}')]
    expect(await ask()).toMatchObject({ kind: 'unanswered', reason: 'unusable' })
    expect(results()).toEqual(['large unusable', 'large unusable'])
  })

  it('for a small model never reaches the large one', async () => {
    script.small = [failed('refused')]
    expect(await ask({ size: 'small' })).toMatchObject({ kind: 'unanswered', reason: 'unreachable' })
    expect(asked.large).toEqual([])
  })

  it('for a small model is the large one’s where that is the only one', async () => {
    deps = { ...deps, rungs: deps.rungs.filter(({ size }) => size === 'large') }
    expect(await ask({ size: 'small' })).toMatchObject({ kind: 'answered', model: 'anthropic:large' })
  })

  it('without any model is not answered', async () => {
    deps = { ...deps, rungs: [] }
    expect(await ask()).toEqual({
      ...{ kind: 'unanswered', reason: 'not-configured', say: 'no model is set up', costUsd: '0' },
    })
  })
})

describe('an answer that is none', () => {
  it('gets one more try, which is told the rule and not the model’s words', async () => {
    script.large = [text('{"text":"far too long, says the mail"}'), GOOD]
    expect(await ask()).toMatchObject({ kind: 'answered', costUsd: '0.022' })
    const prompt = asked.large[1]?.prompt ?? ''
    expect(prompt.startsWith('p\n\n')).toBe(true)
    expect(prompt).toContain('text:')
    expect(prompt).not.toContain('says the mail')
  })

  it.each([
    ['not JSON', text('Sure! Here you are')],
    ['empty', text('')],
    ['keys nobody asked for', text('{"text":"hi","to":"x@evil.example"}')],
    ['a tool called', { kind: 'unusable', problem: 'a tool was called', isFinal: false, usage: USAGE } as const],
  ])('twice (%s) goes to the small model', async (_what, bad) => {
    script.large = [bad]
    expect(await ask()).toMatchObject({ kind: 'answered', model: 'anthropic:small', costUsd: '0.0231' })
    expect(results()).toEqual(['large unusable', 'large unusable', 'small answered'])
  })

  it('is not asked for again where that would not help', async () => {
    const filtered: CallOutcome = { kind: 'unusable', problem: 'a filter', isFinal: true, usage: USAGE }
    script = { large: [filtered], small: [filtered] }
    expect(await ask()).toMatchObject({ kind: 'unanswered', reason: 'unusable', costUsd: '0.0121' })
    expect(results()).toEqual(['large unusable', 'small unusable'])
  })

  it('is no reason to leave the provider alone', async () => {
    script = { large: [text('no')], small: [text('no')] }
    for (let i = 0; i < 3; i++) await ask()
    expect(provider.state(now)).toBe('closed')
  })
})

describe('the cap', () => {
  it('is debited with the worst case before the call', async () => {
    let during = 0n
    script.large = [
      async () => {
        during = sum()
        return GOOD
      },
    ]
    await ask()
    expect(during > (parseUsd('0.011') ?? 0n)).toBe(true)
    expect(renderUsd(sum())).toBe('0.011')
  })

  it('that the large model would break leaves the small one', async () => {
    deps = { ...deps, cap: parseUsd('0.005') ?? 0n }
    expect(await ask()).toMatchObject({ kind: 'answered', model: 'anthropic:small' })
    expect(results()).toEqual(['large over-cap', 'small answered'])
    expect(asked.large).toEqual([])
  })

  it('that both would break leaves no answer, and says how much is spent', async () => {
    deps = { ...deps, cap: 1n }
    expect(await ask()).toMatchObject({
      ...{ kind: 'unanswered', reason: 'over-cap', costUsd: '0' },
      say: expect.stringMatching(
        /^anthropic:large: .* 0 of 0\.000000001 USD for today \(UTC\) are spent; anthropic:small: /,
      ),
    })
    expect(debits.size).toBe(0)
    expect(questions).toEqual(['reply over-cap'])
  })

  it('holds for the second try too', async () => {
    deps = { ...deps, rungs: deps.rungs.slice(0, 1), cap: parseUsd('0.022') ?? 0n }
    script.large = [text('no')]
    expect(await ask()).toMatchObject({ kind: 'unanswered', reason: 'over-cap', costUsd: '0.011' })
  })

  it.each([
    ['answers without counting', { ...GOOD, usage: undefined } as CallOutcome, true],
    ['ends in the middle', failed('down', { mayCost: true }), true],
    ['was never reached', failed('denied'), false],
  ])('keeps the worst case of a call that %s: %o', async (_what, outcome, keeps) => {
    deps = { ...deps, rungs: deps.rungs.slice(0, 1), limits: { ...deps.limits, tries: 1 } }
    script.large = [outcome]
    const { costUsd } = await ask()
    expect(sum() > (parseUsd('0.011') ?? 0n)).toBe(keeps)
    expect(costUsd).toBe(renderUsd(sum()))
  })

  it('that cannot be written down stops the call', async () => {
    deps = {
      ...deps,
      spend: {
        ...spend,
        debit: () => {
          throw new Error('disk full')
        },
      },
    }
    expect(await ask()).toMatchObject({ kind: 'unanswered', reason: 'unreachable' })
    expect([asked.large, asked.small]).toEqual([[], []])
    expect(faults).toHaveLength(2)
  })

  it('whose correction cannot be written down keeps the answer, at its worst case', async () => {
    deps = {
      ...deps,
      spend: {
        ...spend,
        settle: () => {
          throw new Error('disk full')
        },
      },
    }
    const reply = await ask()
    expect(reply).toMatchObject({ kind: 'answered', costUsd: renderUsd(sum()) })
    expect(faults).toHaveLength(1)
  })
})

describe('a provider in trouble', () => {
  it('is asked three times, each wait twice as long', async () => {
    script.large = [failed('busy'), failed('down'), GOOD]
    expect(await ask()).toMatchObject({ kind: 'answered', model: 'anthropic:large' })
    expect(slept).toEqual([1_000, 2_000])
  })

  it('is waited for by chance up to half as long again', async () => {
    deps = { ...deps, random: () => 0.5 }
    script.large = [failed('busy'), GOOD]
    await ask()
    expect(slept).toEqual([1_250])
  })

  it('that says how long is waited for, up to a limit', async () => {
    script.large = [failed('busy', { retryAfterMs: 7_000 }), GOOD]
    await ask()
    expect(slept).toEqual([7_000])
  })

  it('that wants a longer wait is left alone until then', async () => {
    script.large = [failed('busy', { retryAfterMs: 60_000 })]
    expect(await ask()).toMatchObject({
      kind: 'unanswered',
      say: expect.stringContaining('left alone until 2026-11-30T10:01Z'),
    })
    expect(slept).toEqual([])
    expect(provider.until).toBe(START + 60_000)
    expect(results()).toEqual(['large busy', 'small left-alone'])
  })

  it('three times hands the question to the small model', async () => {
    script.large = [failed('busy')]
    expect(await ask()).toMatchObject({ kind: 'answered', model: 'anthropic:small' })
    expect(asked.large).toHaveLength(3)
  })

  it('five times in a row is left alone, then tried once, then asked again', async () => {
    script = { large: [failed('down')], small: [failed('down')] }
    await ask()
    expect(results()).toEqual([
      'large down',
      'large down',
      'large down',
      'small down',
      'small down',
      'small left-alone',
    ])
    reports = []
    expect(await ask()).toMatchObject({ kind: 'unanswered', reason: 'unreachable', costUsd: '0' })
    expect(results()).toEqual(['large left-alone', 'small left-alone'])
    now = provider.until
    script = { large: [GOOD], small: [GOOD] }
    expect(await ask()).toMatchObject({ kind: 'answered', model: 'anthropic:large' })
    expect(provider.state(now)).toBe('closed')
  })

  it('that was too slow is not asked for the same again', async () => {
    script.large = [failed('timeout', { mayCost: true })]
    await ask()
    expect(results()).toEqual(['large timeout', 'small answered'])
    expect(slept).toEqual([])
  })

  it('with a wrong key is left alone for long, all its models', async () => {
    script.large = [failed('denied')]
    expect(await ask()).toMatchObject({ kind: 'unanswered', say: expect.stringContaining('it is denied') })
    expect(results()).toEqual(['large denied', 'small left-alone'])
    expect(provider.until).toBe(START + 600_000)
  })

  it('without such a model is still asked for its other one', async () => {
    script.large = [failed('unknown-model')]
    await ask()
    await ask()
    expect(results()).toEqual(['large unknown-model', 'small answered', 'large left-alone', 'small answered'])
  })

  it('without such a model is tried for it again later, as often as it takes', async () => {
    script.large = [failed('unknown-model'), failed('timeout'), GOOD]
    await ask()
    now += 600_000
    await ask()
    expect(await ask()).toMatchObject({ model: 'anthropic:large' })
  })

  it('that refuses questions is asked the next', async () => {
    script.large = [...Array.from({ length: 6 }, () => failed('refused')), GOOD]
    script.small = [failed('refused')]
    for (let i = 0; i < 6; i++) await ask()
    expect(await ask()).toMatchObject({ model: 'anthropic:large' })
  })

  it('that wants to be left alone for a day is not', async () => {
    script.large = [failed('busy', { retryAfterMs: 86_400_000 })]
    await ask()
    expect(provider.until).toBe(START + 600_000)
  })

  it('is never waited for longer than the limit', async () => {
    deps = { ...deps, limits: { ...deps.limits, tries: 4, backoffMs: 15_000 } }
    script.large = [failed('busy')]
    await ask()
    expect(slept).toEqual([15_000, 20_000, 20_000])
  })
})

describe('the time for a question', () => {
  it('is what is left for each request', async () => {
    deps = { ...deps, limits: { ...deps.limits, totalMs: 2_500 } }
    script.large = [failed('busy'), GOOD]
    await ask()
    expect(asked.large.map(({ timeoutMs }) => timeoutMs)).toEqual([2_500, 1_500])
  })

  it('is less where the question says so, and five silences open the breaker', async () => {
    script.small = [failed('timeout', { mayCost: true })]
    const ask = () => modelLadder(deps)({ ...QUESTION, size: 'small', withinMs: 25_000 })
    for (let times = 0; times < 6; times++) await ask()
    expect(asked.small.map(({ timeoutMs }) => timeoutMs)).toEqual([25_000, 25_000, 25_000, 25_000, 25_000])
    await modelLadder(deps)({ ...QUESTION, withinMs: 200_000 })
    expect(asked.large).toEqual([])
  })

  it('ends the waiting', async () => {
    deps = { ...deps, limits: { ...deps.limits, totalMs: 1_000 } }
    script.large = [failed('busy')]
    expect(await ask()).toMatchObject({ kind: 'answered', model: 'anthropic:small' })
    expect(slept).toEqual([])
  })

  it('that is over asks nobody more', async () => {
    script.large = [
      async () => {
        now += 200_000
        return failed('timeout')
      },
    ]
    expect(await ask()).toMatchObject({ kind: 'unanswered', say: expect.stringContaining('no time was left') })
    expect(asked.small).toEqual([])
  })
})

describe('a question that is given up', () => {
  it('throws that reason, leaves its worst case taken and the breaker usable', async () => {
    const stop = new AbortController()
    provider.openUntil(now)
    script.large = [
      () => {
        stop.abort(new Error('shutting down'))
        return Promise.reject(stop.signal.reason)
      },
      GOOD,
    ]
    await expect(ask({}, stop.signal)).rejects.toThrow('shutting down')
    expect(sum() > 0n).toBe(true)
    expect(await ask()).toMatchObject({ kind: 'answered', model: 'anthropic:large' })
  })

  it('before it began takes nothing', async () => {
    await expect(ask({}, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
    expect(debits.size).toBe(0)
  })
})

it('no more questions are under way than there are slots', async () => {
  deps = { ...deps, slots: makeSlots(2) }
  let running = 0
  let most = 0
  const gates: (() => void)[] = []
  script.large = [
    async () => {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => gates.push(resolve))
      running--
      return GOOD
    },
  ]
  const ladder = modelLadder(deps)
  let isDone = false
  const all = Promise.all(Array.from({ length: 5 }, () => ladder(QUESTION))).finally(() => {
    isDone = true
  })
  while (!isDone) {
    gates.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await all
  expect(most).toBe(2)
})
