import { addressesIn, hostsIn } from './handbook-contacts.ts'
import {
  decodedDomain,
  domainOfAddress,
  isSharedDomain,
  KnownParties,
  registeredDomain,
  shownDomain,
} from './look-alike.ts'
import type { Risk, RiskSubject } from './risk.ts'
import { unusualCharacters } from './unusual-characters.ts'

const LINK = /(?<scheme>[a-z][a-z0-9+.-]{1,20}):\/{0,2}(?<rest>[^\s<>"')\]]{1,2000})/gi
const BARE_LINK =
  /(?<![\p{L}\p{N}@./:_-])(?:www\.[^\s<>"')\]]{3,500}|(?:[\p{L}\p{N}-]{1,63}\.){1,6}(?:\p{L}{2,24}\/[^\s<>"')\]]{0,500}|(?:com|net|org|info|biz|edu|gov|pro|xyz|top|shop|site|online|club|link|click|app|dev|io|eu|test)(?![\p{L}\p{N}@_-]|\.[\p{L}\p{N}])))/giu
const NAMED_LINK = /\[(?<label>[^[\]\n]{1,500})\]\(\s{0,9}<?(?<target>[^)\s>([]{1,2000})/g
const WEB_SCHEMES = new Set(['http', 'https', 'ftp'])
const ODD_SCHEMES = /^(?:javascript|vbscript|data|file|blob|smb|ms-[a-z-]+|tel|sms|intent)$/i
const MAX_NAMED = 5
const MAX_ADDRESSES = 200
const PROGRAMS =
  'ade adp apk app appx bat bin chm cmd com cpl dll dmg docm dotm exe hta htm html img inf iso jar js jse lnk mht mhtml msc msi msp pif potm ppam pptm ps1 reg scf scr sct shtml svg url vb vbe vbs vhd vhdx wsc wsf wsh xhtml xlam xll xlsm xltm'
const DANGEROUS = new Set(PROGRAMS.split(' '))
const PACKED = new Set(['7z', 'ace', 'arj', 'cab', 'gz', 'rar', 'tar', 'tgz', 'xz', 'zip'])

interface Link {
  readonly written: string
  readonly scheme: string
  readonly host: string
  readonly hasUserInfo: boolean
  /** Of a mailbox; in one spelling. */
  readonly address?: string
}

/**
 * Links and addresses of the text: to places that nobody named before, that only a stranger named, that imitate a known one,
 * or that say one place and lead to another.
 */
export function linkRisks(subject: RiskSubject): Risk[] {
  const { parts, thread } = subject
  const inThread = new KnownParties({ addresses: thread.addresses, domains: thread.hosts })
  const risks = [
    ...linksIn(parts.text).flatMap((link) => risksOfLink(link, subject, inThread)),
    ...[...parts.text.matchAll(NAMED_LINK)].flatMap(({ groups }) => deceit(groups?.label ?? '', groups?.target ?? '')),
  ]
  const distinct = [...new Map(risks.map((risk) => [risk.say, risk])).values()]
  const [shown, more] = [distinct.toSorted(worstFirst).slice(0, MAX_NAMED * 2), distinct.length - MAX_NAMED * 2]
  const say = `and ${more} more links or addresses of this kind`
  return more > 0 ? [...shown, { flag: 'link-new', level: 'notice', say }] : shown
}

function worstFirst(a: Risk, b: Risk): number {
  return Number(b.level === 'high') - Number(a.level === 'high')
}

function risksOfLink(link: Link, { known, hosts, thread }: RiskSubject, inThread: KnownParties): Risk[] {
  const { host, address } = link
  const where = shownDomain(host)
  const words = address === undefined ? `a link leads to ${where}` : `the text names the address ${address} (${where})`
  const risks: Risk[] = []
  if (link.hasUserInfo)
    risks.push({ flag: 'link-deceives', level: 'high', say: `a link hides where it leads behind an @: ${where}` })
  if (ODD_SCHEMES.test(link.scheme))
    risks.push({ flag: 'link-odd', level: 'notice', say: `a link of an unusual kind: ${link.written.slice(0, 80)}` })
  if (host === '' || isKnown(link, [known, hosts])) return risks
  if (address !== undefined && thread.addresses.includes(address)) return risks
  const isOfThread = isKnown(link, [inThread]) || thread.text.toLowerCase().includes(address ?? '\n\0')
  const alike = [known, hosts, ...(isOfThread ? [] : [inThread])]
    .map((one) => one.domainLookAlike(host))
    .find((one) => one !== undefined && one.trick !== 'other-ending')
  if (alike) risks.push({ flag: 'link-look-alike', level: 'high', say: `${words}, which imitates ${alike.known}` })
  else if (isOfThread)
    risks.push({ flag: 'link-of-thread', level: 'notice', say: `${words}, which only the original names` })
  else
    risks.push({
      flag: 'link-new',
      level: 'notice',
      say: `${words}, which neither the original nor your handbook and goals name`,
    })
  return risks
}

/** Where strangers share a domain, only the address itself can be known. */
function isKnown({ host, address }: Link, parties: readonly KnownParties[]): boolean {
  return parties.some((one) =>
    address !== undefined && isSharedDomain(host) ? one.hasAddress(address) : one.hasDomain(host),
  )
}

/** A link in Markdown whose words name another place than it leads to. */
function deceit(label: string, written: string): Risk[] {
  const target = linksIn(written)[0]?.host ?? ''
  const said = hostsIn(label)[0]
  if (said === undefined || target === '' || registeredDomain(said) === registeredDomain(target)) return []
  return [{ flag: 'link-deceives', level: 'high', say: `a link says ${said} and leads to ${shownDomain(target)}` }]
}

/** Characters that cannot be seen, or pass for others. */
export function signRisks({ parts }: RiskSubject): Risk[] {
  return unusualCharacters(parts.text).map((words) => {
    return { flag: 'unusual-characters', level: 'notice', say: `the text has ${words}` }
  })
}

/** Names of files that run when they are opened, pack others, or pretend to be something else. */
export function attachmentRisks({ parts }: RiskSubject): Risk[] {
  return parts.attachments.flatMap((name): Risk[] => {
    const endings = name
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\p{Cf}\s.]+$/u, '')
      .split('.')
      .slice(1)
    const last = (endings.at(-1) ?? '').replace(/[\p{Cf}\s]/gu, '')
    const shown = name.slice(0, 80)
    if (unusualCharacters(name).length > 0)
      return [{ flag: 'attachment-name', level: 'notice', say: `the attachment ${shown} has a deceptive name` }]
    if (DANGEROUS.has(last))
      return [{ flag: 'attachment-program', level: 'notice', say: `the attachment ${shown} can run programs` }]
    if (PACKED.has(last))
      return [{ flag: 'attachment-packed', level: 'notice', say: `the attachment ${shown} packs other files` }]
    return []
  })
}

function linksIn(text: string): Link[] {
  const withScheme = [...text.matchAll(LINK)].map(({ 0: written, groups }): Link => {
    const scheme = groups?.scheme?.toLowerCase() ?? ''
    return { written, scheme, ...targetOf(scheme, written, groups?.rest ?? '') }
  })
  const bare = [...text.matchAll(BARE_LINK)].map(([written]): Link => {
    return { written, scheme: 'http', ...targetOf('http', `http://${written}`, written) }
  })
  // What stands in a link is part of it.
  const links = withScheme.map(({ written }) => written.toLowerCase()).join('\n')
  const addresses = addressesIn(text)
    .slice(0, MAX_ADDRESSES)
    .filter((address) => !links.includes(address))
    .map((address): Link => {
      return { written: address, scheme: '', host: domainOfAddress(address), hasUserInfo: false, address }
    })
  return [...withScheme.filter(({ scheme, host }) => host !== '' || ODD_SCHEMES.test(scheme)), ...bare, ...addresses]
}

/** Where a browser would go, which takes backslashes, blanks and user names for what they are. */
function targetOf(scheme: string, written: string, rest: string): Pick<Link, 'host' | 'hasUserInfo' | 'address'> {
  if (scheme === 'mailto') {
    const [address = ''] = addressesIn(rest.split('?')[0] ?? '')
    return { host: domainOfAddress(address), hasUserInfo: false, ...(address !== '' && { address }) }
  }
  if (!WEB_SCHEMES.has(scheme) || !URL.canParse(written)) return { host: '', hasUserInfo: false }
  const { hostname, username, password } = new URL(written)
  return { host: decodedDomain(hostname), hasUserInfo: username !== '' || password !== '' }
}
