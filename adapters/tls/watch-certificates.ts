import { certificateEnd, type TlsPlace } from './certificate-end.ts'

const EVERY_MS = 12 * 3_600_000
/** A server that was away is asked again sooner. */
const AGAIN_MS = 15 * 60_000

/**
 * Tells when the certificate of each place ends: now, and twice a day, until disposed. What cannot be reached is told by
 * whoever works with it; here it is asked again.
 */
export function watchCertificates(
  places: Readonly<Record<string, TlsPlace>>,
  tell: (of: string, endsMs: number) => void,
  everyMs = EVERY_MS,
  againMs = AGAIN_MS,
): Disposable {
  const timers = new Map<string, NodeJS.Timeout>()
  let isStopped = false
  const look = async (of: string, place: TlsPlace) => {
    const ends = await certificateEnd(place).catch(() => undefined)
    if (isStopped) return
    if (ends !== undefined) tell(of, ends)
    timers.set(
      of,
      setTimeout(() => void look(of, place), ends === undefined ? againMs : everyMs),
    )
  }
  for (const [of, place] of Object.entries(places)) void look(of, place)
  return {
    [Symbol.dispose]() {
      isStopped = true
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}

/** Of a mail account, as far as its connection is under TLS. */
export function mailPlace(
  { host, port, tls, via }: Pick<TlsPlace, 'host' | 'port' | 'via'> & { tls: 'tls' | 'starttls' | 'none' },
  by: 'imap' | 'smtp',
): TlsPlace | undefined {
  if (tls === 'none') return undefined
  return { host, port, via, ...(tls === 'starttls' && { by }) }
}

/** Of an https address; others show none. */
export function webPlace(address: string, via?: string): TlsPlace | undefined {
  const url = URL.parse(address)
  if (url?.protocol !== 'https:') return undefined
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443), via }
}

/** Those that are there. */
export function placesOf(named: Readonly<Record<string, TlsPlace | undefined>>): Record<string, TlsPlace> {
  return Object.fromEntries(
    Object.entries(named).flatMap(([of, place]): [string, TlsPlace][] => (place ? [[of, place]] : [])),
  )
}
