/** Rows of every table of the database, one `schema.table|rows` a line, in one snapshot. */
export const ROWS = `
SELECT 'rows|' || n.nspname || '.' || c.relname || '|' ||
  (xpath('/row/rows/text()', query_to_xml(format('SELECT count(*) AS rows FROM %I.%I', n.nspname, c.relname), false, true, '')))[1]::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence = 'p'
ORDER BY 1;`

/** What must be the same to the cent, of the tables that there are. */
const SUMMED = [
  ['account_move', 'amount_total'],
  ['account_move_line', 'debit'],
  ['account_move_line', 'credit'],
  ['account_move_line', 'amount_currency'],
  ['account_payment', 'amount'],
] as const

export const SUMS = `
SELECT 'sum|' || t.tab || '.' || t.col || '|' ||
  (xpath('/row/total/text()', query_to_xml(format('SELECT coalesce(sum(%I), 0) AS total FROM %I', t.col, t.tab), false, true, '')))[1]::text
FROM (VALUES ${SUMMED.map(([table, column]) => `('${table}', '${column}')`).join(', ')}) AS t(tab, col)
JOIN pg_attribute a ON a.attrelid = to_regclass('public.' || t.tab) AND a.attname = t.col
ORDER BY 1;`

/** Attachments whose bytes stand in the filestore: their place there, and their SHA-1 as Odoo knows it. */
export const ATTACHMENTS = `
SELECT DISTINCT 'file|' || store_fname || '|' || checksum FROM ir_attachment
WHERE store_fname IS NOT NULL AND checksum IS NOT NULL ORDER BY 1;`

/** Of something that is no Odoo there are none. */
export const HAS_ATTACHMENTS = `SELECT to_regclass('public.ir_attachment') IS NOT NULL;`

export interface Counted {
  readonly tables: Readonly<Record<string, number>>
  readonly sums: Readonly<Record<string, string>>
  readonly files: readonly { readonly path: string; readonly sha1: string }[]
}

export function parseCounts(output: string): Counted {
  const tables: Record<string, number> = {}
  const sums: Record<string, string> = {}
  const files: { path: string; sha1: string }[] = []
  for (const line of output.split('\n')) {
    const [kind, name = '', value = ''] = line.split('|')
    if (kind === 'rows') tables[name] = Number(value)
    if (kind === 'sum') sums[name] = value
    if (kind === 'file' && /^[0-9a-f]{2}\/[0-9a-f]{40}$/.test(name)) files.push({ path: name, sha1: value })
  }
  return { tables, sums, files }
}
