/** Money in billionths of a US dollar: whole numbers, so that no sum of them is ever rounded. */
export type NanoUsd = bigint

/** What a model costs: nano-dollars for a million tokens. */
export interface ModelPrice {
  readonly input: NanoUsd
  readonly output: NanoUsd
}

/** Tokens of one call, as the provider counted them. Those read from or written to its cache are no part of `input`. */
export interface TokenUsage {
  readonly input: number
  readonly cacheRead: number
  readonly cacheWrite: number
  readonly output: number
}

/** What a cached token costs, in hundredths of the input price. */
export interface CachePercent {
  readonly read: number
  readonly write: number
}

const NANO = 1_000_000_000n
const MILLION = 1_000_000n
/** What a provider adds to a prompt by itself: how roles are marked, how the form of the answer is said. */
const OVERHEAD_TOKENS = 1_000

/** A decimal string of US dollars, at most nine digits on either side of the point; undefined when it is none. */
export function parseUsd(text: string): NanoUsd | undefined {
  const [, whole, fraction = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(text) ?? []
  return whole === undefined ? undefined : BigInt(whole) * NANO + BigInt(fraction.padEnd(9, '0'))
}

/** The decimal string, without needless zeros: `0`, `0.00315`, `12.5`. */
export function renderUsd(amount: NanoUsd): string {
  const fraction = `${amount % NANO}`.padStart(9, '0').replace(/0+$/, '')
  return `${amount / NANO}${fraction && `.${fraction}`}`
}

/** `in/out`, US dollars for a million tokens: `3/15`; undefined when it is none. */
export function parsePrice(text: string): ModelPrice | undefined {
  const [inText = '', outText = '', ...more] = text.split('/')
  const input = parseUsd(inText)
  const output = parseUsd(outText)
  return input === undefined || output === undefined || more.length > 0 ? undefined : { input, output }
}

/** Each kind of token is rounded up to a whole nano-dollar. */
export function costOf(usage: TokenUsage, price: ModelPrice, cache: CachePercent): NanoUsd {
  const percent = (tokens: number, share: number) =>
    ceilDiv(BigInt(tokens) * price.input * BigInt(share), MILLION * 100n)
  return (
    percent(usage.input, 100) +
    percent(usage.cacheRead, cache.read) +
    percent(usage.cacheWrite, cache.write) +
    ceilDiv(BigInt(usage.output) * price.output, MILLION)
  )
}

/**
 * The most that a call can cost. No tokenizer makes more tokens of a text than it has bytes; all of them may have to be
 * written into the cache; the answer may be as long as it is allowed to be.
 */
export function worstCaseOf(
  texts: readonly string[],
  maxOutputTokens: number,
  price: ModelPrice,
  cache: CachePercent,
): NanoUsd {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), OVERHEAD_TOKENS)
  const dearest = cache.write > 100 ? { input: 0, cacheWrite: bytes } : { input: bytes, cacheWrite: 0 }
  return costOf({ ...dearest, cacheRead: 0, output: maxOutputTokens }, price, cache)
}

/** The day that a call counts to: UTC, as `2026-11-30`. */
export function spendDay(now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}

function ceilDiv(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}
