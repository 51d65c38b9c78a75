import { type TaskFile, withFront } from './task-file.ts'
import { isTaskPlace, type Place, type VaultPath } from './vault-path.ts'
import { decideZone, type Zone } from './zone-policy.ts'

const MAX_HISTORY = 30

/** Whether a zone should try to claim what stands at this place: in Needs_Action, and its zone's domain. */
export function isClaimable(place: Place, zone: Zone): boolean {
  return place.kind === 'needs-action' && decideZone(zone, place.domain, 'claim').allow
}

/**
 * The file as its new owner: generation + 1 (the fencing number: whoever works under an older one has lost) and a
 * line of history. It becomes a claim only when the hub has accepted the push that moves it.
 */
export function claimedBy(task: TaskFile, agent: string, atIso: string): TaskFile {
  return withHistory(withFront(task, { generation: task.front.generation + 1 }), `In_Progress/${agent}`, agent, atIso)
}

/** The file with one more line of history (the oldest go beyond 30). */
export function withHistory(task: TaskFile, state: string, agent: string, atIso: string): TaskFile {
  return withFront(task, { history: [...task.front.history, { state, agent, at: atIso }].slice(-MAX_HISTORY) })
}

/** The ids a claim names in its commit: what makes two claims of one second differ is the nonce. */
export function claimTrailers(paths: readonly VaultPath[], nonce: string): string {
  return [...paths.map((path) => `Claim: ${path}`), `Nonce: ${nonce}`].join('\n')
}

/** In_Progress folder's owner, if the place is one. */
export function ownerOf(place: Place): string | undefined {
  return isTaskPlace(place) && place.kind === 'in-progress' ? place.agent : undefined
}
