import { setTimeout as delay } from 'node:timers/promises'
import { CountersignError } from '#core/errors.ts'

/** Thrown out of a wait when the person pressed Ctrl-C. */
export class Interrupted extends Error {}

/**
 * Waits until `look` finds something (not undefined, not false) and gives it back. Throws ERR_DEMO_FAILED after
 * `limitMs`, naming what never came and the last reason `look` threw; Interrupted when the signal aborts.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<T> {
  const deadline = performance.now() + options.limitMs
  let reason = ''
  for (;;) {
    if (options.signal.aborted) throw new Interrupted()
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
      reason = ''
    } catch (error) {
      reason = error instanceof Error ? `; last: ${error.message}` : ''
    }
    if (performance.now() > deadline)
      throw new CountersignError('ERR_DEMO_FAILED', `waited ${options.limitMs / 1000} s for ${what}, in vain${reason}`)
    await delay(50, undefined, { signal: options.signal }).catch(() => {}) // aborted: the loop's head tells it
  }
}
