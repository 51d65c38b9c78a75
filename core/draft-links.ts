import { decodedDomain } from './look-alike.ts'

/** A link of a draft by where it leads. `domain` in ASCII, or the words of a link that leads nowhere readable. */
export interface DraftLink {
  readonly domain: string
  /** As the domain reads when it is not plain ASCII. */
  readonly reads?: string | undefined
  /** What is odd about it, in words. */
  readonly odd: readonly string[]
  readonly count: number
}

const MAX_LISTED = 20
const LINK =
  /(?:[a-z][a-z0-9+.-]{1,20}:\/\/|(?<![\p{L}\p{N}.@/-])www\.|(?<![\p{L}\p{N}])(?:mailto|tel|sms|javascript|data):)[^\s<>"`|\\]+/giu
/** Punctuation that ends a sentence, and brackets around a link, are not part of it. Looked for once in each run. */
const AFTER_LINK = /(?<![.,;:!?'’”)\]}])[.,;:!?'’”)\]}]+$/u
/** Where the links of a draft lead, each domain once, in order; at most 20. */
export function linksIn(text: string): DraftLink[] {
  const found = new Map<string, DraftLink>()
  for (const [raw] of text.matchAll(LINK)) {
    const link = readLink(raw.replace(AFTER_LINK, ''))
    const key = `${link.domain}\n${link.odd.join()}`
    found.set(key, { ...link, count: (found.get(key)?.count ?? 0) + 1 })
    if (found.size >= MAX_LISTED) break
  }
  return [...found.values()]
}

function readLink(raw: string): Omit<DraftLink, 'count'> {
  const written = /^www\./i.test(raw) ? `http://${raw}` : raw
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(written)?.[0].toLowerCase() ?? ''
  if (scheme === 'mailto') {
    const address = written.slice(7).split('?')[0] ?? ''
    const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
    return { domain, reads: readsOf(domain), odd: [`writes a mail to ${address.slice(0, 100)}`] }
  }
  try {
    const { hostname, username, password, port } = new URL(written)
    const odd = [
      ...(['http', 'https'].includes(scheme) ? [] : [`opens with ${scheme}:`]),
      ...(username || password ? ['carries a name before an @: what stands there is not where it leads'] : []),
      ...(/^[\d.]+$|^\[/.test(hostname) ? ['leads to a bare number instead of a name'] : []),
      ...(port ? [`port ${port}`] : []),
    ]
    return { domain: hostname || raw.slice(0, 60), reads: readsOf(hostname), odd }
  } catch {
    return { domain: raw.slice(0, 60), odd: ['cannot be read as a link'] }
  }
}

function readsOf(domain: string): string | undefined {
  const decoded = decodedDomain(domain)
  return decoded === domain ? undefined : decoded
}
