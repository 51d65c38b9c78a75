import { findIbans } from './iban.ts'
import { decodedDomain, sameAddress } from './look-alike.ts'

export interface HandbookContacts {
  readonly addresses: readonly string[]
  /** Everybody at these is known: written `@client.example`. */
  readonly domains: readonly string[]
  /** Account numbers in these sections. */
  readonly ibans: readonly string[]
  /** Every host named anywhere in the note. */
  readonly hosts: readonly string[]
}

const MAX_EACH = 10_000
const SECTION = /^\W*(?:(?:known|our|my) )?(?:contacts|clients|customers|partners|payees)(?: and payees)?\W*$/i
const ADDRESS = /[\p{L}\p{N}!#$%&'*+/=?^_`{}~.-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/gu
const WHOLE_DOMAIN = /(?<![\p{L}\p{N}._%+-])@([\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+)/gu
/** A name with dots in it, also where a link was made inert (`hxxps[:]//`). */
const HOST = /(?<![\p{L}\p{N}._-])(?:[\p{L}\p{N}_-]{1,63}\.){1,8}\p{L}[\p{L}\p{N}-]{1,62}/gu

/** Whom a handbook knows: the addresses in its sections called Known contacts, Clients, Payees and the like. */
export function readContacts(text: string): HandbookContacts {
  const known = sectionsOf(text)
  return {
    addresses: addressesIn(known),
    domains: distinct([...known.matchAll(WHOLE_DOMAIN)].map((match) => decodedDomain(match[1] ?? ''))),
    ibans: findIbans(known).valid,
    hosts: hostsIn(text),
  }
}

/** Every address in a text, one spelling each. */
export function addressesIn(text: string): string[] {
  return distinct([...text.matchAll(ADDRESS)].map(([address]) => sameAddress(address.replace(/^[.'`]+|[.'`]+$/g, ''))))
}

/** Every name with dots in a text; the domains of its addresses are among them. */
export function hostsIn(text: string): string[] {
  return distinct([...text.normalize('NFKC').matchAll(HOST)].map(([host]) => decodedDomain(host)))
}

function sectionsOf(text: string): string {
  const kept: string[] = []
  let level = 0
  for (const line of text.split('\n')) {
    const heading = /^(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line)
    const depth = heading?.[1]?.length ?? 0
    if (heading && SECTION.test(heading[2] ?? '')) level = depth
    else if (heading && depth <= level) level = 0
    else if (level > 0) kept.push(line)
  }
  return kept.join('\n')
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].slice(0, MAX_EACH)
}
