import { setTimeout as delay } from 'node:timers/promises'
import { type Heartbeat, heartbeatOf, readHeartbeat } from '#core/heartbeat.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { ClockBounds, HeartbeatsPort } from '#core/ports/heartbeats.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import { isFresh, type StatusDocument } from '#core/status.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { Log } from '#runtime/logger.ts'
import { noteLife } from './signs-of-life.ts'

export interface HeartbeatDeps {
  readonly agent: string
  readonly zone: Zone
  readonly port: HeartbeatsPort
  readonly store: Pick<SyncStore, 'fact' | 'update'>
  readonly clock: Clock
  /** Other agents that are trusted now. */
  readonly others: () => Promise<ReadonlyMap<string, Zone>>
  /** What the zone's health service last wrote. */
  readonly status: () => Promise<StatusDocument | undefined>
  /** How the hub's clock stands to ours, where it says what time it is. */
  readonly onClock?: (bounds: ClockBounds) => void
  /** Hears what the other agents last said, after each look. */
  readonly onBeats?: (beats: readonly Heartbeat[]) => void
  readonly log: Pick<Log, 'info' | 'warn'>
}

export interface Heartbeats extends AsyncDisposable {
  /** The last one of each other agent that was heard. */
  heard(): readonly Heartbeat[]
}

/** One beat: says how this zone is, and hears how the others are. */
export async function beat(deps: HeartbeatDeps): Promise<Heartbeat[] | undefined> {
  const { agent, zone, port, clock, store } = deps
  const status = await deps.status()
  const now = clock.now()
  const fresh = status && isFresh(status, now) ? status : undefined
  const sent = await port.send(JSON.stringify(heartbeatOf({ agent, zone }, fresh, now)))
  if (sent.kind === 'sent' && sent.clock) deps.onClock?.(sent.clock)
  const read = sent.kind === 'sent' ? await port.read() : sent
  if (read.kind !== 'read') return undefined
  const others = await deps.others()
  return [...read.beats].flatMap(([name, signed]) => {
    const zoneOf = others.get(name)
    const heard = zoneOf && readHeartbeat(signed.text, { agent: name, zone: zoneOf })
    if (!heard) return []
    // The same one again is no sign of life.
    const fact = `beat:${name}`
    if (store.fact(fact) !== signed.id) {
      noteLife(name, { claimed: Date.parse(heard.at), seen: clock.now() }, store)
      store.update({ facts: { [fact]: signed.id } })
    }
    return [heard]
  })
}

/** Beats now and every `everyMs`, one after the other, until disposed. A hub that is away is tried again at the next. */
export function keepBeating(deps: HeartbeatDeps, everyMs: number, onHeard: (isReached: boolean) => void): Heartbeats {
  const stop = new AbortController()
  let heard: readonly Heartbeat[] = []
  let isHeard = true
  const beating = (async () => {
    while (!stop.signal.aborted) {
      const found = await beat(deps).catch((error: unknown) => {
        deps.log.warn({ err: error }, 'no heartbeat could be sent or read')
        return undefined
      })
      if (found) {
        heard = found
        deps.onBeats?.(found)
      }
      if (isHeard !== (found !== undefined)) deps.log.info({ state: found ? 'heard' : 'not heard' }, 'heartbeats')
      isHeard = found !== undefined
      onHeard(found !== undefined)
      await delay(everyMs, undefined, { signal: stop.signal }).catch(() => {}) // Stopping ends the wait.
    }
  })()
  return {
    heard: () => heard,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await beating
    },
  }
}
