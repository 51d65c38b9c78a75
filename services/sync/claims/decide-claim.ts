import { mayClaim } from '#core/claim.ts'
import type { SyncAnswer } from '#core/sync-request.ts'
import type { ParsedTask, TaskFile } from '#core/task-file.ts'
import { folderOf } from '#core/vault-path.ts'
import { decideZone } from '#core/zone-policy.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { refusal, type Standing } from './standing.ts'

/** What can be said at once to somebody who wants a task; or that task, when it may be claimed. */
export function decideClaim(
  found: Standing | undefined,
  parsed: ParsedTask | undefined,
  taskId: string,
  { agent, zone }: Pick<SyncDeps, 'agent' | 'zone'>,
): SyncAnswer | { readonly found: Standing; readonly task: TaskFile } {
  if (!found || !parsed) return { kind: 'elsewhere', place: null }
  const { place } = found
  const generation = parsed.ok ? parsed.task.front.generation : 0
  if (place.kind === 'in-progress')
    return place.agent === agent ? { kind: 'held', generation } : { kind: 'taken', by: place.agent, generation }
  if (place.kind !== 'needs-action') return { kind: 'elsewhere', place: folderOf(place) }
  const decision = decideZone(zone, place.domain, 'claim')
  if (!decision.allow) return refusal(decision.rule, `The ${zone} zone may not claim ${place.domain} tasks.`)
  if (!parsed.ok) return refusal(parsed.rule, `Its file cannot be read: ${parsed.problem}.`)
  const { task } = parsed
  if (task.front.id !== taskId) return refusal('task-id-changed', 'Another task has its file name.')
  if (!mayClaim(task, agent)) return refusal('kept-for-another', `It is kept for ${task.front.for}.`)
  return { found, task }
}
