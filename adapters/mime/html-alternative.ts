const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
/** An address that is written out; the marks that end a sentence are not part of it. */
const LINK = /https?:\/\/[^\s<>"'\p{Cc}\p{Cf}]*[^\s<>"'\p{Cc}\p{Cf}.,;:!?)\]}]/gu

/**
 * The draft as HTML, for readers who are shown that part: the same words in the same lines, nothing added. A link is an
 * address that stands in the draft, shows itself and leads there; nothing is loaded from elsewhere.
 */
export function htmlAlternative(text: string): string {
  const paragraphs = text
    .replace(/\r\n?/g, '\n')
    .split(/\n(?:[ \t]*\n)+/)
    .map((paragraph) => `<p>${paragraph.split('\n').map(lineOf).join('<br>\r\n')}</p>`)
  return [
    '<!DOCTYPE html>',
    '<html><head><meta charset="utf-8"></head><body>',
    ...paragraphs,
    '</body></html>',
    '',
  ].join('\r\n')
}

function lineOf(text: string): string {
  const line = keepingBlanks(text)
  let html = ''
  let end = 0
  for (const { 0: address, index } of line.matchAll(LINK)) {
    const shown = escaped(address)
    html += `${escaped(line.slice(end, index))}<a href="${shown}">${shown}</a>`
    end = index + address.length
  }
  return html + escaped(line.slice(end))
}

/** Indentation and columns stay: HTML would fold blanks into one. */
function keepingBlanks(line: string): string {
  return line.replaceAll('\t', '    ').replace(/^ | (?= )/g, '\u00a0')
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (mark) => ESCAPES[mark] ?? mark)
}
