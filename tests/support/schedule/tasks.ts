/** The tasks of a schedule; the last is of a domain of local's own. */
export const IDS = ['7H3K9Q', '8J4M0R', '9K5N1S', 'AM6P2T'].map((end) => `01K9ZZZZZZZZZZZZZZZZ${end}`)

export function nameOf(id: string): string {
  return `EMAIL_2026-11-20_task_${id.slice(-6).toLowerCase()}.md`
}

export function idOf(path: string): string | undefined {
  return IDS.find((one) => path.endsWith(nameOf(one)))
}

export function domainOf(path: string): 'email' | 'payment' {
  return idOf(path) === IDS.at(-1) ? 'payment' : 'email'
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function generationIn(text: string): number {
  return Number(/^generation: "?(\d+)/m.exec(text)?.[1] ?? 0)
}
