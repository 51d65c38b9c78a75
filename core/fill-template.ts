const PART = /\{\{([#^])(\w{1,40})\}\}([\s\S]*?)\{\{\/\2\}\}|\{\{(\w{1,40})\}\}/g

/**
 * A text with its places filled in: `{{name}}`, `{{#name}}…{{/name}}` where there is a value, `{{^name}}…{{/name}}` where
 * there is none (not one in another). Values are put in as they are: what looks like a place in one stays text. A name
 * that `values` does not have stays as it stands. Paragraphs that come out empty go.
 */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  const filled = template.replaceAll('\r\n', '\n').replace(PART, (whole, sign, block, inner, name) => {
    const key = String(name ?? block)
    if (!Object.hasOwn(values, key)) return whole
    const value = values[key] ?? ''
    if (name !== undefined) return value
    return (value !== '') === (sign === '#') ? withValues(String(inner), values) : ''
  })
  return filled
    .replace(/(?<![ \t])[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function withValues(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w{1,40})\}\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
  )
}
