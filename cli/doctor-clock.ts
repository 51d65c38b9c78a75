import { clockBounds } from '#core/clock-bounds.ts'
import { MAX_SKEW_MS } from '#core/dependencies.ts'
import type { Finding } from '#core/finding.ts'

/**
 * Where the images' packages come from: asked last, when none of the zone's own servers says what time it is. Without TLS,
 * since certificates do not count by a clock that is years off.
 */
const LAST_ASKED = 'http://deb.debian.org/'
const PATIENCE_MS = 3_000
const HINT =
  'Have it set by the network: sudo timedatectl set-ntp true (where that says no: sudo apt install systemd-timesyncd), then run doctor again. Approvals expire by it, and logins fail by it.'

/** This machine's clock held against the `Date` of web servers that the zone works with; nothing but their head is asked for. */
export async function clockFinding(
  env: Readonly<Record<string, string>>,
  { lastAsked = LAST_ASKED, now = Date.now }: { readonly lastAsked?: string; readonly now?: () => number } = {},
): Promise<Finding> {
  const { COUNTERSIGN_ODOO_URL, COUNTERSIGN_OPENAI_URL, COUNTERSIGN_IMAP_HOST } = env
  const own = [
    COUNTERSIGN_ODOO_URL,
    COUNTERSIGN_OPENAI_URL,
    COUNTERSIGN_IMAP_HOST && `https://${COUNTERSIGN_IMAP_HOST}`,
  ]
  const places = [...own.filter((one) => one !== undefined && URL.canParse(one)), lastAsked] as string[]
  // At once: a mail server often has no web server beside it, and says nothing for long.
  for (const said of await Promise.all(places.map((place) => askTime(place, now)))) {
    if (said === undefined) continue
    const { host, leastMs, mostMs } = said
    const skewMs = Math.max(leastMs, Math.min(mostMs, 0))
    if (Math.abs(skewMs) <= MAX_SKEW_MS) return { check: 'clock', result: 'ok', found: `agrees with that of ${host}` }
    const found = `it is ${sayLong(Math.abs(skewMs))} ${skewMs > 0 ? 'behind' : 'ahead of'} that of ${host}`
    return { check: 'clock', result: 'failed', found, hint: HINT }
  }
  return { check: 'clock', result: 'skipped', found: 'no server could be asked what time it is' }
}

async function askTime(place: string, now: () => number) {
  const askedAt = now()
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const answer = await fetch(place, { method: 'HEAD', redirect: 'manual', signal })
    const said = Date.parse(answer.headers.get('date') ?? '')
    return Number.isNaN(said) ? undefined : { host: new URL(place).host, ...clockBounds(said, askedAt, now()) }
  } catch {
    return undefined // the next one is asked
  }
}

function sayLong(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  return minutes < 2 * 1_440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} days`
}
