import { plain } from './card-text.ts'
import type { InvoiceTotals } from './invoice.ts'
import type { InvoiceData } from './read-invoice.ts'

const NOT_SAID = '?'

/** A note for the person: what was read of an invoice, as it was read, inert. `totals`: where all of it is known. */
export function renderInvoiceNote(
  { customer, lines, currency, due, reference, missing, unsaid }: InvoiceData,
  totals: InvoiceTotals | undefined,
  title: string,
  taskLink: string,
): string {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Customer', customer.name],
    ['E-mail', customer.email],
    ['Address', customer.address],
    ['Tax number', customer.tax_id],
    ['Currency', currency],
    ['Due', due],
    ['Reference', reference],
    ['Sum without tax', totals?.net],
    ...(totals?.taxes ?? []).map(({ percent, amount }) => [`Tax of ${percent} %`, amount] as const),
    ['Sum', totals?.total],
  ]
  const known = facts.filter((row): row is readonly [string, string] => row[1] !== undefined)
  const open = [...missing, ...unsaid]
  return [
    `# Invoice data: ${plain(title)}`,
    `Taken out of ${taskLink}. Everything here stands in the mail, in your handbook or in your notes, and the sums are reckoned from it; what the mail says about money is the sender’s claim.`,
    ['| | |', '|---|---|', ...known.map(row)].join('\n'),
    [
      '| description | quantity | price for one, without tax | tax, percent |',
      '|---|---|---|---|',
      ...lines.map((line) =>
        row([line.description, line.quantity, line.unit_price, line.taxes && (line.taxes.join(' + ') || 'none')]),
      ),
    ].join('\n'),
    open.length > 0 ? `Still missing:\n\n${open.map((one) => `- ${plain(one)}`).join('\n')}` : 'Nothing is missing.',
    '',
  ].join('\n\n')
}

function row(cells: readonly (string | undefined)[]): string {
  return `| ${cells.map((cell) => plain(cell ?? NOT_SAID)).join(' | ')} |`
}
