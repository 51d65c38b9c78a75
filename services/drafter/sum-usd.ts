const DIGITS = 9

/** Two decimal strings of US dollars, added without rounding. */
export function sumUsd(a: string, b: string): string {
  const sum = nano(a) + nano(b)
  const unit = 10n ** BigInt(DIGITS)
  const fraction = `${sum % unit}`.padStart(DIGITS, '0').replace(/0+$/, '')
  return `${sum / unit}${fraction && `.${fraction}`}`
}

function nano(text: string): bigint {
  const [, whole = '0', fraction = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?\d*$/.exec(text) ?? []
  return BigInt(whole + fraction.padEnd(DIGITS, '0'))
}
