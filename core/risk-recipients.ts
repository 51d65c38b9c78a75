import {
  decodedDomain,
  domainOfAddress,
  isSharedDomain,
  KnownParties,
  type LookAlike,
  sameAddress,
  shownDomain,
} from './look-alike.ts'
import type { Risk, RiskSubject } from './risk.ts'
import { unusualCharacters } from './unusual-characters.ts'

const TRICKS: Readonly<Record<LookAlike['trick'], string>> = {
  'same-shape': 'looks the same as',
  'one-letter': 'is one letter off from',
  hyphen: 'differs in a hyphen only from',
  inside: 'only contains the name of',
  'other-ending': 'has another ending than',
}

/** Who gets it: flagged, imitating somebody known, not in the thread, never written to. */
export function recipientRisks(subject: RiskSubject): Risk[] {
  const { parts, thread } = subject
  const recipients = [...new Map(parts.recipients.map((one) => [sameAddress(one), one])).values()]
  const inThread = new KnownParties({ addresses: thread.addresses })
  return [
    ...recipients.flatMap((address) => risksOfOne(address, inThread, subject)),
    ...replyToRisk(recipients, subject),
  ]
}

function risksOfOne(address: string, inThread: KnownParties, subject: RiskSubject): Risk[] {
  const { rules, known, thread } = subject
  const domain = domainOfAddress(address)
  const flagged = rules.flagged.find((name) => isNamed(address, name))
  const risks: Risk[] = flagged ? [high('recipient-flagged', `${address}: your handbook flags ${flagged}`)] : []
  if (known.hasAddress(address) || rules.contacts.domains.some((name) => isNamed(address, name))) return risks
  const alike =
    known.addressLookAlike(address) ?? (inThread.hasAddress(address) ? undefined : inThread.addressLookAlike(address))
  if (alike) risks.push(lookAlikeRisk(address, alike))
  if (unusualCharacters(decodedDomain(domain)).length > 0)
    risks.push(high('look-alike', `${address}: its domain mixes alphabets (${shownDomain(domain)})`))
  else if (/(?:^|\.)xn--/i.test(domain))
    risks.push(notice('address-unusual', `${address}: written as ${shownDomain(domain)}`))
  if (inThread.hasAddress(address) || thread.addresses.length === 0)
    risks.push(notice('first-contact', `${address}: you have not written to this address before`))
  else
    risks.push(
      isColleague(address, subject)
        ? notice('recipient-not-in-thread', `${address}: not part of this conversation`)
        : high('recipient-not-in-thread', `${address}: neither part of this conversation nor known to you`),
    )
  return risks
}

function lookAlikeRisk(address: string, { known, trick }: LookAlike): Risk {
  const say = `${address}: ${shownDomain(domainOfAddress(address))} ${TRICKS[trick]} ${known}`
  const words = known.includes('@') ? `${address} ${TRICKS[trick]} ${known}` : say
  return trick === 'other-ending' ? notice('look-alike', words) : high('look-alike', words)
}

/** The mail asked for the answer at another address than it came from, and the answer goes there. */
function replyToRisk(recipients: readonly string[], { thread, task, known }: RiskSubject): Risk[] {
  const from = thread.from
  const asked = (task.front.source?.reply_to ?? []).map(sameAddress)
  const elsewhere = recipients.find((one) => asked.includes(sameAddress(one)) && sameAddress(one) !== from)
  if (from === undefined || elsewhere === undefined) return []
  const alike = known.hasAddress(elsewhere)
    ? undefined
    : new KnownParties({ addresses: [from] }).addressLookAlike(elsewhere)
  return [
    notice('reply-to-differs', `the mail came from ${from}; the reply goes to ${elsewhere}`),
    ...(alike && alike.trick !== 'other-ending' ? [lookAlikeRisk(elsewhere, { ...alike, known: from })] : []),
  ]
}

function isColleague(address: string, { own }: RiskSubject): boolean {
  const domain = domainOfAddress(sameAddress(address))
  return !isSharedDomain(domain) && own.some((one) => domainOfAddress(sameAddress(one)) === domain)
}

/** Whether a name of the handbook (an address, a domain or one above it) is meant by an address. */
function isNamed(address: string, name: string): boolean {
  const one = sameAddress(address)
  return one === name || one.endsWith(`@${name}`) || one.endsWith(`.${name}`)
}

function high(flag: string, say: string): Risk {
  return { flag, level: 'high', say }
}

function notice(flag: string, say: string): Risk {
  return { flag, level: 'notice', say }
}
