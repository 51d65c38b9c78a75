import { domainToUnicode } from 'node:url'

/** Letters of other scripts (and Latin ones without a decomposition) that are drawn like a Latin letter. */
const SAME_DRAWING: Readonly<Record<string, string>> = {
  ...{ а: 'a', в: 'b', ь: 'b', с: 'c', ԁ: 'd', е: 'e', һ: 'h', н: 'h', і: 'i', ј: 'j', к: 'k', ӏ: 'l', м: 'm' },
  ...{ п: 'n', о: 'o', р: 'p', ԛ: 'q', г: 'r', ѕ: 's', т: 't', и: 'u', ѵ: 'v', ԝ: 'w', х: 'x', у: 'y', ү: 'y' },
  ...{ α: 'a', β: 'b', ϲ: 'c', ς: 'c', ε: 'e', η: 'n', ι: 'i', κ: 'k', ν: 'v', ο: 'o', σ: 'o', ρ: 'p', τ: 't' },
  ...{ υ: 'u', χ: 'x', γ: 'y', ω: 'w', μ: 'u', օ: 'o', ո: 'n', ս: 'u', հ: 'h', ց: 'g', զ: 'q' },
  ...{ ı: 'i', ł: 'l', ø: 'o', đ: 'd', ħ: 'h', ŧ: 't', ɑ: 'a', ɡ: 'g', ɩ: 'i', ß: 'ss', æ: 'ae', œ: 'oe' },
}
/** Signs and letters that stand for another, then pairs that run together on a screen. */
const SAME_SHAPE: readonly (readonly [RegExp, string])[] = [
  [/[1|i]/g, 'l'],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/cl/g, 'd'],
  [/0/g, 'o'],
  [/5/g, 's'],
]
/** Names that say nothing about whose a domain is. */
const GENERIC = new Set(
  'mail email mails info shop store online support service services help news home office group team cloud login portal account secure web site blog test demo example company'.split(
    ' ',
  ),
)
/** Where strangers share a domain: it makes nobody known. */
const SHARED = new Set(
  'gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.de yahoo.fr icloud.com me.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de aol.com proton.me protonmail.com mail.com mail.ru yandex.ru qq.com 163.com orange.fr free.fr libero.it posteo.de mailbox.org zoho.com'.split(
    ' ',
  ),
)
const SECOND_LEVEL = /^(?:ac|co|com|edu|gob|gov|gv|ltd|net|or|org|plc)$/
const MIN_NAME = 4
const MIN_LOCAL_PART = 5

/** How a name imitates a known one: drawn alike, one letter off, hyphens moved, the known name inside, another ending. */
export type Trick = 'same-shape' | 'one-letter' | 'hyphen' | 'inside' | 'other-ending'

export interface LookAlike {
  readonly known: string
  readonly trick: Trick
}

/** The letters as they are drawn: accents gone, other scripts and dresses as the Latin letters they look like. */
export function foldedShape(text: string): string {
  const bare = text.normalize('NFKD').replace(/[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
  return bare.toLowerCase().replace(/[^\u0000-\u007f]/gu, (letter) => SAME_DRAWING[letter] ?? letter)
}

/** Two texts with the same skeleton can be taken for each other at a glance. */
export function skeletonOf(text: string): string {
  return SAME_SHAPE.reduce((shape, [pattern, letter]) => shape.replace(pattern, letter), foldedShape(text))
}

/** A domain as a person reads it; what is written in punycode is shown decoded, beside its letters. */
export function shownDomain(domain: string): string {
  const decoded = decodedDomain(domain)
  return decoded === domain.toLowerCase() ? domain : `${domain} (reads ${decoded})`
}

/** Lower case, composed, punycode decoded, without a last dot. */
export function decodedDomain(domain: string): string {
  const labels = domain.normalize('NFKC').toLowerCase().replace(/\.$/, '').split('.')
  return labels.map((label) => (label.startsWith('xn--') && domainToUnicode(label)) || label).join('.')
}

/** The part of a domain that somebody registered, guessed without a list: `mail.acme.co.uk` → `acme.co.uk`. */
export function registeredDomain(domain: string): string {
  const labels = decodedDomain(domain).split('.')
  const isSecondLevel = (labels.at(-1) ?? '').length === 2 && SECOND_LEVEL.test(labels.at(-2) ?? '')
  return labels.slice(isSecondLevel ? -3 : -2).join('.')
}

/** Whether many strangers have addresses there. */
export function isSharedDomain(domain: string): boolean {
  return SHARED.has(registeredDomain(domain))
}

export function domainOfAddress(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

/** One spelling for one mailbox: the domain decoded, all in lower case. */
export function sameAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at).normalize('NFKC').toLowerCase()}@${decodedDomain(address.slice(at + 1))}`
}

interface Shape {
  readonly text: string
  readonly folded: string
  readonly skeleton: string
}

interface DomainShape {
  readonly registered: string
  readonly ending: string
  readonly name: Shape
}

/** Whom one knows, made ready for many questions. Unreadable entries are left out. */
export class KnownParties {
  readonly #addresses = new Set<string>()
  readonly #registered = new Map<string, DomainShape>()
  readonly #localParts = new Map<string, Shape[]>()

  constructor(known: { readonly addresses: Iterable<string>; readonly domains?: Iterable<string> }) {
    for (const one of known.addresses) {
      const address = sameAddress(one)
      const at = address.lastIndexOf('@')
      if (at < 1 || this.#addresses.has(address)) continue
      this.#addresses.add(address)
      const domain = address.slice(at + 1)
      const localParts = this.#localParts.get(domain) ?? []
      localParts.push(shapeOf(address.slice(0, at)))
      this.#localParts.set(domain, localParts)
      this.#addDomain(domain)
    }
    for (const domain of known.domains ?? []) this.#addDomain(domain)
  }

  hasAddress(address: string): boolean {
    return this.#addresses.has(sameAddress(address))
  }

  /** Whether the domain, or one above it, is a known one. */
  hasDomain(domain: string): boolean {
    return this.#registered.has(registeredDomain(domain))
  }

  /** What a domain that is not known itself could be taken for. */
  domainLookAlike(domain: string): LookAlike | undefined {
    const decoded = decodedDomain(domain)
    const one = domainShape(decoded)
    if (this.#registered.has(one.registered)) return undefined
    const parts = partsOf(decoded)
    let best: LookAlike | undefined
    for (const known of this.#registered.values()) {
      const trick = trickOf(one, known, parts)
      if (trick && trick !== 'other-ending') return { known: known.registered, trick }
      if (trick) best ??= { known: known.registered, trick }
    }
    return best
  }

  /** What an address that is not known itself could be taken for: by its domain, or by its name at a known domain. */
  addressLookAlike(address: string): LookAlike | undefined {
    if (this.hasAddress(address)) return undefined
    const at = address.lastIndexOf('@')
    const domain = decodedDomain(address.slice(at + 1))
    const local = shapeOf(address.slice(0, at))
    for (const known of this.#localParts.get(domain) ?? []) {
      const trick = shapeTrick(local, known, MIN_LOCAL_PART)
      if (trick) return { known: `${known.text}@${domain}`, trick }
    }
    return this.domainLookAlike(domain)
  }

  #addDomain(domain: string): void {
    const shape = domainShape(decodedDomain(domain))
    if (shape.ending !== '') this.#registered.set(shape.registered, shape)
  }
}

function domainShape(decoded: string): DomainShape {
  const registered = registeredDomain(decoded)
  const dot = registered.indexOf('.')
  const name = dot < 0 ? registered : registered.slice(0, dot)
  return { registered, ending: dot < 0 ? '' : registered.slice(dot + 1), name: shapeOf(name) }
}

function shapeOf(text: string): Shape {
  const lower = text.normalize('NFKC').toLowerCase()
  return { text: lower, folded: foldedShape(lower), skeleton: skeletonOf(text) }
}

function trickOf(one: DomainShape, known: DomainShape, parts: ReadonlySet<string>): Trick | undefined {
  if (SHARED.has(one.registered) && SHARED.has(known.registered)) return undefined
  const isEnding = one.ending === known.ending
  if (one.name.text !== known.name.text) {
    const trick = shapeTrick(one.name, known.name, MIN_NAME)
    if (trick && (isEnding || trick !== 'one-letter')) return trick
  } else if (!isEnding && known.name.text.length >= MIN_NAME && !GENERIC.has(known.name.text)) {
    return 'other-ending'
  }
  return isInside(known, parts) ? 'inside' : undefined
}

/** `acme` in `acme-billing.example` and in `acme.example.evil.test`. */
function isInside(known: DomainShape, parts: ReadonlySet<string>): boolean {
  if (known.name.text.length < MIN_NAME || GENERIC.has(known.name.text)) return false
  return parts.has(known.name.skeleton)
}

/** The skeletons of the names that a domain is put together from; none when it is one name alone. */
function partsOf(domain: string): ReadonlySet<string> {
  const labels = domain.split('.').slice(0, -1)
  const parts = new Set(labels.flatMap((label) => [label, ...label.split('-')]))
  return new Set(parts.size > 1 ? [...parts].map(skeletonOf) : [])
}

function shapeTrick(one: Shape, known: Shape, minLength: number): Trick | undefined {
  if (one.text === known.text) return undefined
  if (one.skeleton === known.skeleton) return 'same-shape'
  if (Math.min(one.folded.length, known.folded.length) < minLength) return undefined
  if (one.skeleton.replaceAll('-', '') === known.skeleton.replaceAll('-', '')) return 'hyphen'
  return isOneLetterOff(one.folded, known.folded) ? 'one-letter' : undefined
}

/** One letter more, less, other, or two next to each other exchanged. Digits do not count: names are numbered honestly. */
export function isOneLetterOff(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  if (/\d/.test(left + right) || left === right) return false
  const isSwapped = left.length === 2 && right.length === 2 && left === `${right[1]}${right[0]}`
  return isSwapped || (left.length <= 1 && right.length <= 1)
}
