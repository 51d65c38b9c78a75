import type { SyncStore } from '#core/ports/sync-store.ts'
import { type DatedCommit, makeSign, type SignOfLife, type SignTimes, signsIn } from '#core/sign-of-life.ts'
import type { SyncDeps } from '../sync-deps.ts'

const factOf = (agent: string) => `life:${agent}`

/** What to remember of commits that may enter, oldest first. */
export function lifeFacts(commits: readonly DatedCommit[], nowMs: number): Record<string, string> {
  return Object.fromEntries(
    [...signsIn(commits, nowMs)].map(([agent, times]) => [factOf(agent), JSON.stringify(times)]),
  )
}

/** A sign that is no commit of the vault: it counts when it is newer by its maker's clock, or newly seen. */
export function noteLife(agent: string, times: SignTimes, store: Pick<SyncStore, 'fact' | 'update'>): void {
  const known = store.fact(factOf(agent))
  const before = known === undefined ? undefined : (JSON.parse(known) as SignTimes)
  if (before && before.claimed > times.claimed) return
  store.update({ facts: { [factOf(agent)]: JSON.stringify(times) } })
}

/** The same where the memory was lost: what is still known stays. */
export function missingLifeFacts(
  commits: readonly DatedCommit[],
  nowMs: number,
  store: Pick<SyncStore, 'fact'>,
): Record<string, string> {
  const facts = Object.entries(lifeFacts(commits, nowMs))
  return Object.fromEntries(facts.filter(([name]) => store.fact(name) === undefined))
}

/** The last sign of each other agent that is trusted now, by name. */
export async function signsOfLife({
  trust,
  agent: own,
  store,
}: Pick<SyncDeps, 'trust' | 'agent' | 'store'>): Promise<SignOfLife[]> {
  const { agents } = await trust()
  const others = [...agents].filter(([agent]) => agent !== own).sort(([a], [b]) => (a < b ? -1 : 1))
  return others.map(([agent, zone]) => {
    const known = store.fact(factOf(agent))
    return makeSign({ agent, zone }, known === undefined ? undefined : (JSON.parse(known) as SignTimes))
  })
}
