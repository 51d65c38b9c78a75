import { hostsIn } from './handbook-contacts.ts'
import { decodedDomain, domainOfAddress, KnownParties, registeredDomain, shownDomain } from './look-alike.ts'
import type { Risk, RiskSubject } from './risk.ts'

const LINK = /(?<scheme>[a-z][a-z0-9+.-]{1,20}):\/{0,2}(?<rest>[^\s<>"')\]]{1,2000})/gi
const BARE_LINK =
  /(?<![\p{L}\p{N}@./:_-])(?:www\.[^\s<>"')\]]{3,500}|(?:[\p{L}\p{N}-]{1,63}\.){1,6}\p{L}{2,24}\/[^\s<>"')\]]{0,500})/giu
const NAMED_LINK = /\[(?<label>[^[\]\n]{1,500})\]\(\s{0,9}<?(?<target>[^)\s>([]{1,2000})/g
const WEB_SCHEMES = new Set(['http', 'https', 'ftp'])
const ODD_SCHEMES = /^(?:javascript|vbscript|data|file|blob|smb|ms-[a-z-]+|tel|sms|intent)$/i
const MAX_NAMED = 5
/** Words of two alphabets; one foreign letter beside a unit (`kΩ`) is no word. */
const WORD = /[\p{L}\p{M}\p{N}]{3,}/gu
const SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
]
/** What a reader does not see, but for the joiners of pictographs and of scripts that need them. */
const UNSEEN =
  /\u034f|[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu
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
    if (link.host === '' || hosts.hasDomain(link.host) || inThread.hasDomain(link.host)) continue
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
        say: `a link leads to ${where}, which the mail and your handbook do not name`,
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

/** Letters of two alphabets in one word, and characters that nobody sees. */
export function signRisks({ parts }: RiskSubject): Risk[] {
  const mixed = mixedWords(parts.text)
  const unseen = new Set([...parts.text.matchAll(UNSEEN)].map(([sign]) => sign))
  const names = [...unseen]
    .slice(0, MAX_NAMED)
    .map((sign) => `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`)
  return [
    ...(mixed.length > 0
      ? [
          {
            flag: 'mixed-alphabets',
            level: 'notice',
            say: `words with letters of two alphabets: ${mixed.slice(0, MAX_NAMED).join(', ')}`,
          } satisfies Risk,
        ]
      : []),
    ...(names.length > 0
      ? [
          {
            flag: 'unseen-characters',
            level: 'notice',
            say: `characters that cannot be seen: ${names.join(', ')}`,
          } satisfies Risk,
        ]
      : []),
  ]
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
    if (new RegExp(UNSEEN).test(name) || mixedWords(name).length > 0)
      return [{ flag: 'attachment-name', level: 'notice', say: `the attachment ${shown} has a deceptive name` }]
    if (DANGEROUS.has(last))
      return [{ flag: 'attachment-program', level: 'notice', say: `the attachment ${shown} can run programs` }]
    if (PACKED.has(last))
      return [{ flag: 'attachment-packed', level: 'notice', say: `the attachment ${shown} packs other files` }]
    return []
  })
}

/** Words in which two alphabets meet, at most a few. */
export function mixedWords(text: string): string[] {
  const mixed = new Set<string>()
  for (const [word] of text.matchAll(WORD)) {
    if (SCRIPTS.filter((script) => script.test(word)).length > 1) mixed.add(word.slice(0, 40))
    if (mixed.size > MAX_NAMED) break
  }
  return [...mixed]
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
