/** A place that can be reached through the way out. */
export interface Reach {
  /** A name, or an address of IPv4. */
  readonly host: string
  readonly port: number
  /** It may lie in a private network. Never on the proxy’s own machine or where clouds answer about themselves (169.254.0.0/16). */
  readonly isPrivate?: boolean
}

/** What mail is sent by. No mailbox, model or ledger of the world is read through these, and the cloud sends nothing. */
export const SENDING_PORTS: readonly number[] = [25, 465, 587, 2525]

/** How containers name the machine that they run on; looked up in the container’s own file, so that nobody else can say where it leads. */
export const THIS_MACHINE = 'host.docker.internal'

const GMAIL = ['gmail.googleapis.com', 'oauth2.googleapis.com']
const PUBSUB = 'pubsub.googleapis.com'

/** The settings of a cloud zone that name others. */
export interface CloudSettings {
  readonly mailboxes: readonly (
    | { readonly provider: 'imap'; readonly host: string; readonly port: number }
    | { readonly provider: 'gmail' }
  )[]
  /** Instead of Google's servers. */
  readonly gmailUrl: string | undefined
  readonly hasPush: boolean
  /** Addresses of the models that may be asked, of Odoo. */
  readonly urls: readonly string[]
  /** Sites whose certificates are looked at. */
  readonly sites: readonly string[]
  /** What the owner adds, `host:port`. */
  readonly also: readonly Reach[]
  /** Names that may lead into a private network. */
  readonly privateHosts: readonly string[]
}

export type ReachVerdict =
  | { readonly ok: true; readonly reach: readonly Reach[] }
  | { readonly ok: false; readonly problem: string }

/** What a cloud zone has to reach, from its own settings: each place once, in their order. */
export function cloudReach(settings: CloudSettings): ReachVerdict {
  const { mailboxes, gmailUrl, hasPush, urls, sites, also, privateHosts } = settings
  const gmail = gmailUrl === undefined ? GMAIL.map(secure) : [reachOfUrl(gmailUrl)]
  const all = [
    ...mailboxes.flatMap((one) => (one.provider === 'imap' ? [{ host: one.host, port: one.port }] : gmail)),
    ...(hasPush && gmailUrl === undefined ? [secure(PUBSUB)] : []),
    ...urls.map(reachOfUrl),
    ...sites.map(secure),
    ...also,
  ].map(({ host, port }) => ({ host: host.toLowerCase(), port }))
  const sending = all.find(({ port }) => SENDING_PORTS.includes(port))
  if (sending)
    return { ok: false, problem: `${sayReach(sending)}: mail is sent through this port, and the cloud sends none` }
  const once = new Map(all.map((one) => [sayReach(one), one]))
  const mayBePrivate = new Set([THIS_MACHINE, ...privateHosts.map((host) => host.toLowerCase())])
  return {
    ok: true,
    reach: [...once.values()].map((one) => (mayBePrivate.has(one.host) ? { ...one, isPrivate: true } : one)),
  }
}

export function sayReach({ host, port }: Reach): string {
  return `${host}:${port}`
}

function secure(host: string): Reach {
  return { host, port: 443 }
}

function reachOfUrl(address: string): Reach {
  const { hostname, port, protocol } = new URL(address)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'http:' ? 80 : 443)) }
}
