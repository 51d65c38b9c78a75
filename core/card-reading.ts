import { findAmounts, sayAmount } from './amounts.ts'
import { type CardRow, code, plain } from './card-text.ts'
import { linksIn } from './draft-links.ts'
import { findIbans, shownIban } from './iban.ts'

const MAX_LISTED = 20

/** Rows of the card that tell what of a text a reader should not overlook: where its links lead, its money, its accounts. */
export function readingRows(text: string): CardRow[] {
  const links = linksIn(text).map(({ domain, reads, odd, count }) => {
    const remarks = [
      ...(reads === undefined ? [] : [`reads ${code(reads)}`]),
      ...odd.map(plain),
      ...(count > 1 ? [`${count} times`] : []),
    ]
    return code(domain) + (remarks.length > 0 ? ` (${remarks.join('; ')})` : '')
  })
  const amounts = [...new Set(findAmounts(text).map(sayAmount))].map(code)
  const { valid, broken } = findIbans(text)
  const accounts = [
    ...valid.map((iban) => `${code(shownIban(iban))} (its check digits are right)`),
    ...broken.map((iban) => `${code(shownIban(iban))} (**its check digits are wrong**)`),
  ]
  return [row('Links lead to', links), row('Amounts', amounts), row('Accounts', accounts)].filter(
    ([, value]) => value !== '',
  )
}

function row(name: string, values: readonly string[]): CardRow {
  const more = values.length - MAX_LISTED
  return [name, [...values.slice(0, MAX_LISTED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')]
}
