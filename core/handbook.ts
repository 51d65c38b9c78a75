/** What a drafter takes from `Company_Handbook.md`: headings are the person's, so a missing one is no error. */
export interface Handbook {
  /** The lines that end a letter; empty when the handbook names none. */
  readonly signature: string
  /** The whole note, for a model's instructions. */
  readonly text: string
}

const MAX_SIGNATURE_LINES = 12

/** Reads the section under a heading called Signature (any level) up to the next heading. */
export function readHandbook(text: string): Handbook {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const start = lines.findIndex((line) => /^#{1,6}\s+signature\s*$/i.test(line))
  const after = start < 0 ? [] : lines.slice(start + 1)
  const end = after.findIndex((line) => /^#{1,6}\s/.test(line))
  const signature = (end < 0 ? after : after.slice(0, end))
    .slice(0, MAX_SIGNATURE_LINES)
    .join('\n')
    .replace(/<!--[\s\S]*?-->/g, '')
    .trim()
  return { signature, text }
}
