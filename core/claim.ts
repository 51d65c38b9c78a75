import { type TaskFile, ticksOf, withFront, withSection } from './task-file.ts'
import type { Place } from './vault-path.ts'
import { decideZone, type Zone } from './zone-policy.ts'

const MAX_HISTORY = 30

/** Whether a zone should try to claim what stands at this place: in Needs_Action, and its zone's domain. */
export function isClaimable(place: Place, zone: Zone): boolean {
  return place.kind === 'needs-action' && decideZone(zone, place.domain, 'claim').allow
}

/**
 * The file as its new owner: generation + 1 (the fencing number: whoever works under an older one has lost) and a
 * line of history. Of a card that came back it keeps neither the mark of having been shown nor a ticked box: both are
 * the local zone's. It becomes a claim only when the hub has accepted the push that moves it.
 */
export function claimedBy(task: TaskFile, agent: string, atIso: string): TaskFile {
  const claimed = withFront(undecided(task), { generation: task.front.generation + 1 })
  return withHistory(claimed, `In_Progress/${agent}`, agent, atIso)
}

/** The file without what only the local zone may say in it: that it was put before the person, or what they ticked. */
export function undecided(task: TaskFile): TaskFile {
  const unticked = ticksOf(task).length > 0 ? withSection(task, 'decision', '') : task
  return task.front.presented ? withFront(unticked, { presented: undefined }) : unticked
}

/** The file with one more line of history (the oldest go beyond 30). */
export function withHistory(task: TaskFile, state: string, agent: string, atIso: string): TaskFile {
  return withFront(task, { history: [...task.front.history, { state, agent, at: atIso }].slice(-MAX_HISTORY) })
}
