import { messageOf } from '#core/errors.ts'
import type { StatusDocument } from '#core/status.ts'

const LIMIT_MS = 10_000
const EVERY_MS = 60_000

/**
 * Tells somebody outside once a minute that this zone works; whoever hears nothing any more raises the alarm, which this
 * machine could not. Nothing but the call itself leaves. A zone that is down stays silent.
 */
export function deadmanSwitch(url: string, onFault: (reason: string) => void) {
  let lastAt = Number.NEGATIVE_INFINITY
  return async (status: StatusDocument, nowMs: number): Promise<void> => {
    if (status.health === 'down' || nowMs - lastAt < EVERY_MS) return
    lastAt = nowMs
    try {
      const signal = AbortSignal.timeout(LIMIT_MS)
      const response = await fetch(url, { signal, redirect: 'error' })
      await response.body?.cancel()
      if (!response.ok) onFault(`it answered ${response.status}`)
    } catch (error) {
      onFault(messageOf(error))
    }
  }
}
