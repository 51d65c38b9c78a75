/**
 * The texts of a SEPA payment: letters, digits and a few signs (EPC 230-15). Whatever else stands in one would be changed
 * or refused by some bank on the way, and the payee would read something else than was approved.
 */
const SIGNS = /^[A-Za-z0-9/?:().,'+ -]*$/
const MAX_RF_DIGITS = 21

/** Letters that are no letter with a mark on it, as banks write them. */
const SPELLED: Readonly<Record<string, string>> = {
  ...{ ä: 'ae', ö: 'oe', ü: 'ue', Ä: 'Ae', Ö: 'Oe', Ü: 'Ue', ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'Ae', ø: 'o', Ø: 'O' },
  ...{ å: 'aa', Å: 'Aa', œ: 'oe', Œ: 'Oe', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ð: 'd', Ð: 'D', þ: 'th', Þ: 'Th', ı: 'i' },
  ...{
    '&': '+',
    '’': "'",
    '‘': "'",
    '–': '-',
    '—': '-',
    '‑': '-',
    '…': '.',
    '#': '.',
    _: '-',
    ';': ',',
    '\u00a0': ' ',
  },
}

/** Why a text may not stand in a payment, in words; undefined: it may. */
export function sepaFault(text: string): string | undefined {
  if (!SIGNS.test(text)) {
    const odd = [...text].find((sign) => !SIGNS.test(sign)) ?? ''
    const instead = asSepaText(odd)
    return `“${odd}” cannot be sent with a payment${instead === '' ? '' : `; write “${instead}”`}`
  }
  if (/^\/|\/$|\/\//.test(text)) return 'it may neither begin nor end with a slash, nor hold two in a row'
  return text !== text.trim() || / {2}/.test(text) ? 'it has blanks too many' : undefined
}

/** The text as a bank would write it; what has no such spelling is left out. */
export function asSepaText(text: string): string {
  const spelled = [...text.normalize('NFC')].map((sign) => SPELLED[sign] ?? sign).join('')
  return spelled
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9/?:().,'+ -]/g, ' ')
    .replace(/\/{2,}/g, '/')
    .replace(/ {2,}/g, ' ')
    .replace(/^[ /]+|[ /]+$/g, '')
}

/** Why it is no reference by which a payee knows the payment again: an `RF…` (ISO 11649), or the twelve digits of Belgium. */
export function creditorReferenceFault(reference: string): string | undefined {
  if (/^\d{12}$/.test(reference)) {
    const rest = Number(BigInt(reference.slice(0, 10)) % 97n) || 97
    return rest === Number(reference.slice(10)) ? undefined : 'its check digits are wrong'
  }
  if (!new RegExp(`^RF\\d{2}[A-Z0-9]{1,${MAX_RF_DIGITS}}$`).test(reference))
    return 'neither a reference that begins with RF nor one of twelve digits'
  return mod97(reference.slice(4) + reference.slice(0, 4)) === 1 ? undefined : 'its check digits are wrong'
}

/** Without blanks and the signs that Belgium writes around its twelve digits; in capitals. */
export function plainCreditorReference(written: string): string {
  const bare = written.replace(/ /g, '').toUpperCase()
  const belgian = /^([+*]{3})(\d{3})\/(\d{4})\/(\d{5})\1$/.exec(bare)
  return belgian ? `${belgian[2]}${belgian[3]}${belgian[4]}` : bare
}

/** ISO 7064 MOD 97-10 of letters (A is 10) and digits. */
export function mod97(signs: string): number {
  let rest = 0
  for (const sign of signs) {
    const value = Number.parseInt(sign, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest
}
