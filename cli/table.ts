/** Rows as aligned columns for a terminal; the first row is the heading. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Text from outside for one line of a terminal: no control characters, no line breaks, cut to `max` characters. */
export function terminalText(text: string, max = 60): string {
  const shown = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return shown.length > max ? `${shown.slice(0, max - 1)}…` : shown
}

/** Text from outside over several lines: line breaks stay, escape sequences and invisible characters go. */
export function terminalBlock(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|\p{Cf}/gu, '')
}
