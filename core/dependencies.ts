import { z } from 'zod'
import type { ServiceReport } from './service-report.ts'
import { sayMinute } from './sign-of-life.ts'

export const DEPENDENCIES = [
  'redis',
  'hub',
  'mailbox',
  'sending',
  'social',
  'whatsapp',
  'payment',
  'odoo',
  'model',
  'disk',
  'clock',
  'certificate',
  'token',
] as const
export type Dependency = (typeof DEPENDENCIES)[number]

/** Something the zone works with, as it was last found. `since`: in this state. Times are ISO 8601 UTC. */
export const checkedSchema = z.strictObject({
  what: z.enum(DEPENDENCIES),
  /** Who works with it, or which of them it is: `drafter`, `mailbox-work`. */
  of: z.string().max(60),
  state: z.enum(['ok', 'bad', 'unknown']),
  since: z.iso.datetime(),
  detail: z.string().max(400).optional(),
  /** Of a certificate or a token. */
  ends: z.iso.datetime().optional(),
  /** Of a clock: how far it is surely ahead of this machine's or (negative) behind, ms; 0 where it may be right. */
  skewMs: z.int().optional(),
  /** What to do about it; only where it is bad. */
  next: z.string().max(300).optional(),
})
export type Checked = z.output<typeof checkedSchema>
export type FoundDependency = Omit<Checked, 'since' | 'next'>

/** One look at a service: its checks of readiness by name, and what else it told. */
export interface ServiceLook {
  readonly name: string
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>
  readonly report: ServiceReport
}

/** A certificate that ends sooner has to be seen to, ms; those that renew themselves do so a month before. */
export const CERTIFICATE_LEFT_MS = 14 * 86_400_000
/** Tokens of an app in testing live for a week, so that more would be an alarm all the time, ms. */
export const TOKEN_LEFT_MS = 2 * 86_400_000
/** Clocks that differ by more make times wrong that people rely on, ms. */
export const MAX_SKEW_MS = 60_000

/** Checks of readiness that are about something outside of the process. */
const BY_CHECK: Readonly<Record<string, Dependency>> = {
  redis: 'redis',
  hub: 'hub',
  mailbox: 'mailbox',
  email: 'sending',
  social: 'social',
  whatsapp: 'whatsapp',
  payment: 'payment',
  books: 'odoo',
}
/** Of a start that does not get that far. */
const BY_CODE: Readonly<Record<string, Dependency>> = {
  ERR_REDIS_UNREACHABLE: 'redis',
  ERR_REDIS_MISSING: 'redis',
  ERR_HUB_UNREACHABLE: 'hub',
  ERR_MAIL_UNREACHABLE: 'mailbox',
  ERR_MAIL_AUTH: 'mailbox',
}

const NEXT: Readonly<Record<Dependency, string>> = {
  redis: 'Look at its container: `docker compose ps redis`. What is queued there is no work that could be lost.',
  hub: 'Look at the machine of the cloud, its port and the network; both zones go on with what they have.',
  mailbox: 'Check host, port and password in the settings; `countersign doctor` tries them one by one.',
  sending: 'Check host, port and password in the settings; what is approved waits, and goes out when it is back.',
  social: 'See the account named above; a token that counts no more is made anew at the network.',
  whatsapp: 'See what is said above; what is approved waits, and goes out when it is back.',
  payment: 'See what is said above; what is approved waits for it.',
  odoo: 'Look at Odoo and its database; drafts of invoices wait for it.',
  model: 'See the provider’s state page, the key and the day’s budget; meanwhile the built-in template drafts.',
  disk: 'Make room, or move the zone home: what cannot be written down is not executed.',
  clock: 'Set the clock by the network on both machines (chrony, systemd-timesyncd).',
  certificate: 'Renew it on the server it belongs to, or see why it does not renew itself.',
  token: 'Get a new one: `countersign auth gmail`.',
}

/** What a look at a service says of what it works with. */
export function foundIn({ name, checks, report }: ServiceLook, nowMs: number): FoundDependency[] {
  const byCheck = Object.entries(checks).flatMap(([check, { ok, detail = '' }]): FoundDependency[] => {
    const what = BY_CHECK[check.replace(/^mailbox-.*/, 'mailbox')] ?? BY_CODE[detail.slice(0, detail.indexOf(':'))]
    const of = check.startsWith('mailbox-') ? check : name
    return what ? [found(what, of, ok || detail)] : []
  })
  const told = report.dependencies.map(({ name: what, state, detail = '' }) =>
    found(what, name, state === 'unknown' ? undefined : state === 'ok' || detail),
  )
  const ends = report.ends.map(({ what, of, at }) => {
    const leftMs = Date.parse(at) - nowMs
    const enough = what === 'certificate' ? CERTIFICATE_LEFT_MS : TOKEN_LEFT_MS
    const answer = leftMs > enough || (leftMs > 0 ? `it ends ${sayMinute(at)}` : `it ended ${sayMinute(at)}`)
    return { ...found(what, of, answer), ends: at }
  })
  const clocks = report.clocks.map(({ of, leastMs, mostMs }) => {
    const skewMs = Math.max(leastMs, Math.min(mostMs, 0))
    return { ...found('clock', of, skewFault(skewMs) ?? true), skewMs }
  })
  return [...byCheck, ...told, ...ends, ...clocks]
}

function skewFault(skewMs: number): string | undefined {
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return undefined
  const by = `at least ${Math.floor(Math.abs(skewMs) / 1000)} s`
  return `it is ${by} ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's: one of the two is wrong`
}

function found(what: Dependency, of: string, answer: true | string | undefined): FoundDependency {
  if (answer === true) return { what, of, state: 'ok' }
  return answer === undefined
    ? { what, of, state: 'unknown' }
    : { what, of, state: 'bad', detail: answer.slice(0, 400) || 'no reason given' }
}

/** With the moment since when each is as it is: what was found in the same state before keeps its own. */
export function judgeDependencies(
  founds: readonly FoundDependency[],
  before: readonly Checked[],
  at: string,
): Checked[] {
  const known = new Map(before.map((one) => [`${one.what} ${one.of}`, one]))
  return founds.map((one) => {
    const last = known.get(`${one.what} ${one.of}`)
    const since = last?.state === one.state ? last.since : at
    return { ...one, since, ...(one.state === 'bad' && { next: NEXT[one.what] }) }
  })
}

/** Nothing, when it is not whole. */
export function parseChecked(text: string): Checked[] {
  try {
    return z.array(checkedSchema).parse(JSON.parse(text))
  } catch {
    return []
  }
}

/** What is bad and is told nowhere else: what a service cannot be ready without is among what it lacks. */
const TOLD_HERE: readonly Dependency[] = ['odoo', 'model', 'certificate', 'token', 'clock']

export function sayBad(checked: readonly Checked[]): string[] {
  return checked
    .filter(({ what, state }) => state === 'bad' && TOLD_HERE.includes(what))
    .map(({ what, of, since, detail, next }) => {
      const who = { odoo: `Odoo (${of})`, model: `the model (${of})`, clock: `the clock of ${of}` }[what as 'odoo']
      return `${who ?? `the ${what} of ${of}`}, since ${sayMinute(since)}: ${detail}. ${next}`
    })
}
