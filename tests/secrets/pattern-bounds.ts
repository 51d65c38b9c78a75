/** How far a pattern can look, read from its source. */
export interface PatternBounds {
  /** Quantifiers without an upper end. */
  readonly endless: readonly string[]
  /** The most characters that one match can span. */
  readonly maxSpan: number
}

/** Reads the syntax that the rules use: classes, groups, alternatives, look-arounds and quantifiers. */
export function boundsOf(source: string): PatternBounds {
  const endless: string[] = []
  let at = 0
  return { maxSpan: alternatives(), endless }

  function alternatives(): number {
    const branches = [0]
    while (at < source.length && source[at] !== ')') {
      if (source[at] === '|') {
        at++
        branches.push(0)
      } else branches.push((branches.pop() ?? 0) + quantified(atom()))
    }
    return Math.max(...branches)
  }

  function atom(): number {
    const start = source[at++]
    if (start === '\\') {
      const named = /^(?:[pPk](?:\{[^}]*\}|<[^>]*>)|.)/.exec(source.slice(at))?.[0] ?? ''
      at += named.length
      return /^[bB]$/.test(named) ? 0 : 1
    }
    if (start === '[') {
      while (source[at] !== ']') at += source[at] === '\\' ? 2 : 1
      at++
      return 1
    }
    if (start !== '(') return start === '^' || start === '$' ? 0 : 1
    const head = /^\?(?:<?[=!]|:|<[A-Za-z]\w*>)/.exec(source.slice(at))?.[0] ?? ''
    at += head.length
    const inside = alternatives()
    at++
    return /[=!]$/.test(head) ? 0 : inside
  }

  function quantified(span: number): number {
    const found = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(source.slice(at))?.[0]
    if (found === undefined) return span
    at += found.length
    const [, low = '1', comma, high = ''] = /^\{(\d+)(,(\d*))?\}/.exec(found) ?? []
    if (/^[*+]/.test(found) || (comma !== undefined && high === ''))
      endless.push(source.slice(Math.max(0, at - 20), at))
    return span * Number(comma === undefined ? low : high)
  }
}
