import { hostsIn } from './handbook-contacts.ts'
import { decodedDomain, domainOfAddress, KnownParties, registeredDomain, shownDomain } from './look-alike.ts'
import type { Risk, RiskSubject } from './risk.ts'
import { unusualCharacters } from './unusual-characters.ts'

const LINK = /(?<scheme>[a-z][a-z0-9+.-]{1,20}):\/{0,2}(?<rest>[^\s<>"')\]]{1,2000})/gi
const BARE_LINK =
  /(?<![\p{L}\p{N}@./:_-])(?:www\.[^\s<>"')\]]{3,500}|(?:[\p{L}\p{N}-]{1,63}\.){1,6}\p{L}{2,24}\/[^\s<>"')\]]{0,500})/giu
const NAMED_LINK = /\[(?<label>[^[\]\n]{1,500})\]\(\s{0,9}<?(?<target>[^)\s>([]{1,2000})/g
const WEB_SCHEMES = new Set(['http', 'https', 'ftp'])
const ODD_SCHEMES = /^(?:javascript|vbscript|data|file|blob|smb|ms-[a-z-]+|tel|sms|intent)$/i
const MAX_NAMED = 5
const PROGRAMS =
  'ade adp apk app appx bat bin chm cmd com cpl dll dmg docm dotm exe hta htm html img inf iso jar js jse lnk mht mhtml msc msi msp pif potm ppam pptm ps1 reg scf scr sct shtml svg url vb vbe vbs vhd vhdx wsc wsf wsh xhtml xlam xll xlsm xltm'
const DANGEROUS = new Set(PROGRAMS.split(' '))
const PACKED = new Set(['7z', 'ace', 'arj', 'cab', 'gz', 'rar', 'tar', 'tgz', 'xz', 'zip'])

interface Link {
  readonly written: string
  readonly scheme: string
  readonly host: string
  readonly hasUserInfo: boolean
}

/** Links to places that nobody named before, that imitate a known one, or that say one place and lead to another. */
export function linkRisks({ parts, thread, known, hosts }: RiskSubject): Risk[] {
  const inThread = new KnownParties({ addresses: [], domains: thread.hosts })
  const risks: Risk[] = []
  for (const link of linksIn(parts.text)) {
    const where = shownDomain(link.host)
    if (link.hasUserInfo)
      risks.push({ flag: 'link-deceives', level: 'high', say: `a link hides where it leads behind an @: ${where}` })
    if (ODD_SCHEMES.test(link.scheme))
      risks.push({ flag: 'link-odd', level: 'notice', say: `a link of an unusual kind: ${link.written.slice(0, 80)}` })
    if (link.host === '' || [known, hosts, inThread].some((one) => one.hasDomain(link.host))) continue
    const alike = [known, hosts, inThread].map((one) => one.domainLookAlike(link.host)).find((one) => one !== undefined)
    if (alike && alike.trick !== 'other-ending')
      risks.push({
        flag: 'link-look-alike',
        level: 'high',
        say: `a link leads to ${where}, which imitates ${alike.known}`,
      })
    else
      risks.push({
        flag: 'link-new',
        level: 'notice',
        say: `a link leads to ${where}, which neither the original nor your handbook names`,
      })
  }
  for (const { groups } of parts.text.matchAll(NAMED_LINK)) {
    const target = linksIn(groups?.target ?? '')[0]?.host ?? ''
    const said = hostsIn(groups?.label ?? '')[0]
    if (said !== undefined && target !== '' && registeredDomain(said) !== registeredDomain(target))
      risks.push({
        flag: 'link-deceives',
        level: 'high',
        say: `a link says ${said} and leads to ${shownDomain(target)}`,
      })
  }
  return [...new Map(risks.map((risk) => [risk.say, risk])).values()].slice(0, MAX_NAMED * 2)
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
  return [...withScheme.filter(({ scheme, host }) => host !== '' || ODD_SCHEMES.test(scheme)), ...bare]
}

/** Where a browser would go, which takes backslashes, blanks and user names for what they are. */
function targetOf(scheme: string, written: string, rest: string): { host: string; hasUserInfo: boolean } {
  if (scheme === 'mailto') return { host: decodedDomain(domainOfAddress(rest.split('?')[0] ?? '')), hasUserInfo: false }
  if (!WEB_SCHEMES.has(scheme) || !URL.canParse(written)) return { host: '', hasUserInfo: false }
  const { hostname, username, password } = new URL(written)
  return { host: decodedDomain(hostname), hasUserInfo: username !== '' || password !== '' }
}
