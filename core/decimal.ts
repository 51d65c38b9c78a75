/** A decimal number of a mail or a form, exactly: `units` × 10^-`scale`. */
export interface Decimal {
  readonly units: bigint
  readonly scale: number
}

/** Not negative, at most 12 digits before the point and 6 after it. */
export const DECIMAL = /^(0|[1-9]\d{0,11})(\.\d{1,6})?$/

/** Reads what `DECIMAL` accepts. Throws a RangeError for anything else. */
export function decimalOf(text: string): Decimal {
  if (!DECIMAL.test(text)) throw new RangeError('not a decimal number')
  const [whole = '0', fraction = ''] = text.split('.')
  return { units: BigInt(whole + fraction), scale: fraction.length }
}

export function times(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale }
}

export function plus(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale)
  return { units: widened(a, scale) + widened(b, scale), scale }
}

/** Over 0 where `a` is more, under 0 where it is less, exactly: `12.5` is `12.50`. Throws as `decimalOf`. */
export function compared(a: string, b: string): bigint {
  const [one, other] = [decimalOf(a), decimalOf(b)]
  const scale = Math.max(one.scale, other.scale)
  return widened(one, scale) - widened(other, scale)
}

/** So many digits after the point; a half goes up. */
export function rounded(value: Decimal, digits: number): Decimal {
  if (value.scale <= digits) return { units: widened(value, digits), scale: digits }
  const step = 10n ** BigInt(value.scale - digits)
  return { units: (value.units + step / 2n) / step, scale: digits }
}

/** `1234.50`: with as many digits after the point as its scale. */
export function decimalText({ units, scale }: Decimal): string {
  const digits = String(units).padStart(scale + 1, '0')
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** The one spelling of a decimal number: `15.00` and `15` are `15`. */
export function plainDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function widened({ units, scale }: Decimal, to: number): bigint {
  return units * 10n ** BigInt(to - scale)
}
