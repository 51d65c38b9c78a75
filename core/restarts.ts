import { z } from 'zod'

/** After so many failed restarts the person is told, once. */
export const TELL_AFTER = 3
/** Whoever does not answer at all is tried again at least so often by whatever keeps it running, ms. */
const TRIED_EVERY_MS = 60_000

const time = z.iso.datetime().nullable()
const watchedSchema = z.object({
  /** Since when it is not ready; null: it is. */
  downSince: time,
  /** Since when it has given no answer; null: it answers. */
  silentSince: time,
  /** The person was told that it fails. */
  isTold: z.boolean(),
})

/** What the health service remembers of a component between two looks, and across its own restarts. Times are ISO 8601 UTC. */
export type Watched = z.output<typeof watchedSchema>

/** By name. What is lost is told once more. */
export interface WatchMemory {
  load(): Promise<Readonly<Record<string, Watched>>>
  save(known: Readonly<Record<string, Watched>>): Promise<void>
}

/** Nothing, when it is not whole. */
export function parseWatched(text: string): Record<string, Watched> {
  try {
    return z.record(z.string(), watchedSchema).parse(JSON.parse(text))
  } catch {
    return {}
  }
}

export const WELL: Watched = { downSince: null, silentSince: null, isTold: false }

/** One look at a component. `boots`: its starts since it last did its work for a minute. */
export interface Look {
  readonly boots: number
  readonly isLive: boolean
  readonly isReady: boolean
  readonly at: string
}

export interface Judgement {
  readonly watched: Watched
  /** Starts that did not lead to a minute of work; the first one is no restart. */
  readonly failedRestarts: number
  /** `fails`: to be told now, once. `back`: what was told of is over. */
  readonly news: 'fails' | 'back' | undefined
  /** Milliseconds it was not ready, when it has just come back. */
  readonly recoveredAfterMs: number | undefined
}

/** What to make of a component. A service that waits for something else (the hub, the mailbox) answers, and has not failed. */
export function judgeComponent(before: Watched, { boots, isLive, isReady, at }: Look): Judgement {
  const silentSince = isLive ? null : (before.silentSince ?? at)
  const downSince = isReady ? null : (before.downSince ?? at)
  const silentMs = silentSince === null ? 0 : Date.parse(at) - Date.parse(silentSince)
  const failedRestarts = Math.max(0, boots - 1, Math.floor(silentMs / TRIED_EVERY_MS))
  const fails = !before.isTold && failedRestarts >= TELL_AFTER
  const isBack = before.isTold && isReady && failedRestarts === 0
  return {
    watched: { downSince, silentSince, isTold: fails || (before.isTold && !isBack) },
    failedRestarts,
    news: fails ? 'fails' : isBack ? 'back' : undefined,
    recoveredAfterMs: isReady && before.downSince !== null ? Date.parse(at) - Date.parse(before.downSince) : undefined,
  }
}
