import { MAX_LINES_SHOWN } from './books-action.ts'
import { domainDigest } from './canonical-json.ts'
import { oneLine } from './quote.ts'

/** A line as the books hold it. Amounts are decimal strings. */
export interface BookedLine {
  /** What it says; `isNote`: it says that, and costs nothing. */
  readonly description: string
  readonly isNote: boolean
  readonly quantity: string
  readonly unitPrice: string
  /** A percentage, `0` for none. */
  readonly discount: string
  /** As the books call them. */
  readonly taxes: readonly string[]
  /** Without tax. */
  readonly net: string
  /** What else makes it what it is: ids of its taxes, product and account. */
  readonly refs: readonly string[]
}

const MAX_DESCRIPTION = 120

/** The lines in words, for a card; of many the last one says how many more there are. */
export function shownLines(lines: readonly BookedLine[]): string[] {
  const more = lines.length - MAX_LINES_SHOWN
  return [...lines.slice(0, MAX_LINES_SHOWN).map(sayLine), ...(more > 0 ? [`and ${more} more`] : [])]
}

/** `sha256:<hex>` of a whole invoice. `head`: customer, currency, dates, totals and whatever else counts, by their names. */
export function contentDigest(head: Readonly<Record<string, string>>, lines: readonly BookedLine[]): string {
  return domainDigest('countersign/invoice/v1', { head, lines: lines.map(wellFormed) })
}

function wellFormed(line: BookedLine): BookedLine {
  return { ...line, description: line.description.toWellFormed(), taxes: line.taxes.map((tax) => tax.toWellFormed()) }
}

function sayLine({ description, isNote, quantity, unitPrice, discount, taxes, net }: BookedLine): string {
  const words = oneLine(description, MAX_DESCRIPTION) || 'without a description'
  if (isNote) return `note: ${words}`
  const less = discount === '0' ? '' : ` less ${discount} %`
  return `${words}: ${quantity} × ${unitPrice}${less}, ${taxes.map((tax) => oneLine(tax, 40)).join(' + ') || 'no tax'} = ${net}`
}
