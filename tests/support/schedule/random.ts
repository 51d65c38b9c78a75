/** Random choices that follow from a seed alone. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  chance(probability: number): boolean
  /** A whole number from 0 up to, not including, `below`. */
  upTo(below: number): number
  pick<T>(from: readonly T[]): T | undefined
}

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    chance: (probability) => next() < probability,
    upTo: (below) => Math.trunc(next() * below),
    pick: (from) => from[Math.trunc(next() * from.length)],
  }
}
