import { addressesIn, type HandbookContacts } from './handbook-contacts.ts'
import { decodedDomain, domainOfAddress } from './look-alike.ts'
import { canonicalAddress } from './mail-address.ts'
import { oneLine } from './quote.ts'
import { NETWORKS, type Network } from './social-text.ts'
import type { Domain } from './vault-path.ts'

/** A task that a note of the person's asks for. */
export interface NoteTask {
  readonly kind: 'EMAIL' | 'INVOICE' | 'POST' | 'PAYMENT' | 'NOTE'
  readonly domain: Extract<Domain, 'email' | 'accounting' | 'social' | 'payment' | 'general'>
  readonly title: string
  /** Whom a mail goes to: only contacts of the handbook. */
  readonly to: readonly string[]
  readonly network?: Network
  /** The rule by which it was read so. */
  readonly rule: string
  /** Why nothing can be drafted from it, in words for the person. */
  readonly say?: string
}

export interface NoteFacts {
  readonly contacts: Pick<HandbookContacts, 'addresses' | 'domains'>
}

const MAX_TO = 5
const MAX_LOOKED_AT = 20_000
const NETWORK_WORD = `${NETWORKS.join('|')}|twitter`
const POST = new RegExp(
  `^(?:(?:social )?posts?|(?:(?:post )?(?:on|to) )?(${NETWORK_WORD})(?:(?:\\s*[,&+/]\\s*|\\s+and\\s+)(?:${NETWORK_WORD}))*)\\s*:\\s*`,
  'i',
)
/** How a note begins that asks for a payment. */
const PAYMENT =
  /^(?:please )?(?:pay(?:ment)?|transfer|bill to pay|to pay|zahl(?:en|ung)|überweis(?:en|ung)|payer|paiement|betalen|betaling|pagar|pago|pagare|pagamento)\s*:/i
const INVOICE =
  /(?<!\p{L})(?:invoices?|rechnung(?:en)?|factures?|facturas?|fattur[ae]|faktur[aęyą]?|factuur|faturas?)(?!\p{L})|^\W*(?:customer|client|kunde|kundin|cliente|klient|klant)\s*:/imu

/** What a note in Inbox/ asks for; undefined: nothing stands in it yet. `name` is that of its file. Never throws. */
export function readNote(name: string, text: string, facts: NoteFacts): readonly NoteTask[] | undefined {
  const lines = bodyOf(text)
    .slice(0, MAX_LOOKED_AT)
    .split('\n')
    .map((line) => line.replace(/^[\s#>*_-]+/, '').trim())
    .filter((line) => line !== '')
  const [first] = lines
  if (first === undefined) return undefined
  const post = POST.exec(first)
  if (post) return postsOf(post[0], first.slice(post[0].length), lines[1])
  const title = titleOf(name, first)
  const all = `${title}\n${lines.join('\n')}`
  const named = addressesIn(all)
  const to = named.filter((address) => isContact(address, facts.contacts)).flatMap((one) => canonicalAddress(one) ?? [])
  const common = { title, to: to.slice(0, MAX_TO) }
  if (PAYMENT.test(first))
    return [{ ...common, to: [], kind: 'PAYMENT', domain: 'payment', rule: 'begins-as-a-payment' }]
  if (INVOICE.test(all)) return [{ ...common, kind: 'INVOICE', domain: 'accounting', rule: 'names-an-invoice' }]
  if (to.length > 0) return [{ ...common, kind: 'EMAIL', domain: 'email', rule: 'names-a-contact' }]
  return [{ ...common, kind: 'NOTE', domain: 'general', rule: 'nothing-known', say: sayNothing(named) }]
}

/** Where no network is named, the drafter makes one for each account. */
function postsOf(prefix: string, rest: string, next: string | undefined): NoteTask[] {
  const isNamed = (network: Network) =>
    new RegExp(`\\b${network === 'x' ? '(?:x|twitter)' : network}\\b`, 'i').test(prefix)
  const named = NETWORKS.filter(isNamed)
  const title = oneLine(rest || next || 'Post', 200) || 'Post'
  const post = { kind: 'POST', domain: 'social', title, to: [], rule: 'begins-as-a-post' } as const
  return named.length > 0 ? named.map((network) => ({ ...post, network })) : [post]
}

function sayNothing(named: readonly string[]): string {
  const unknown = named.slice(0, 3).join(', ')
  const why =
    named.length > 0
      ? `It names ${unknown}, who is no contact of your handbook, so no mail is drafted to there`
      : 'It does not say what could be drafted: no contact of your handbook, no invoice, no post, no payment'
  return `${why}. Do it yourself and tick Reject; or drop a note that begins with “Post:” or “Pay:”, or that names a contact’s address`
}

function isContact(address: string, { addresses, domains }: NoteFacts['contacts']): boolean {
  const domain = decodedDomain(domainOfAddress(address))
  return addresses.includes(address) || domains.some((one) => domain === one || domain.endsWith(`.${one}`))
}

/** A heading is the title; else the file’s name, if somebody gave it one. */
function titleOf(name: string, first: string): string {
  const stem = name.replace(/\.md$/, '').trim()
  const isGiven =
    !/^(?:untitled|unbenannt|sans titre|sin título|senza nome|note|notiz|new note|neue notiz)?[\s\d.,()_-]*$/i.test(
      stem,
    )
  return oneLine(isGiven ? stem : first, 200) || 'Note'
}

/** Without the front matter that an editor may keep there. */
function bodyOf(text: string): string {
  return text
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
    .replace(/^---\n[\s\S]{0,10000}?\n---(?:\n|$)/, '')
}
