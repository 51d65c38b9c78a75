import { decideTransfer, givenBackBy, isBeingExecuted } from '#core/claim.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import { type ParsedTask, type TaskFile, withFront } from '#core/task-file.ts'
import { fileNameOf, folderOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { refusal, type Standing } from './standing.ts'

export interface GiveBackOutcome {
  /** Once it has landed, or when there is nothing to do. */
  readonly answer: SyncAnswer
  /** What to push, and where to. */
  readonly task?: TaskFile
  readonly to?: VaultPath
}

type GiveBackDeps = Pick<SyncDeps, 'agent' | 'zone' | 'clock'> & { readonly agents: ReadonlyMap<string, Zone> }

/**
 * Gives a task back, if it is still held as it was when this was asked: a later claim is another matter, and is not
 * undone by an earlier word. Asked again it says the same.
 */
export function planGiveBack(
  request: Extract<SyncRequest, { kind: 'give-back' }>,
  found: Standing | undefined,
  parsed: ParsedTask | undefined,
  deps: GiveBackDeps,
): GiveBackOutcome {
  if (!found || !parsed) return { answer: { kind: 'elsewhere', place: null } }
  if (!parsed.ok) return { answer: refusal(parsed.rule, `Its file cannot be read: ${parsed.problem}.`) }
  const { task } = parsed
  const { place } = found
  const { generation } = task.front
  if (place.kind === 'needs-action') return keepFor(request, found, task, deps)
  if (place.kind !== 'in-progress') return { answer: { kind: 'elsewhere', place: folderOf(place) } }
  if (place.agent !== request.holder || generation !== request.generation)
    return { answer: { kind: 'taken', by: place.agent, generation } }
  const refused = refusalOf(request, place.agent, task, deps)
  if (refused) return { answer: refused }
  const by = place.agent === deps.agent ? deps.agent : 'person'
  const released = givenBackBy(task, by, new Date(deps.clock.now()).toISOString(), request.keptFor)
  const to = taskPath({ kind: 'needs-action', domain: task.front.domain }, fileNameOf(found.path))
  return { answer: { kind: 'landed', generation: released.front.generation }, task: released, to }
}

/** It stands open: already given back, or only to be kept for somebody. */
function keepFor(
  { keptFor }: Extract<SyncRequest, { kind: 'give-back' }>,
  found: Standing,
  task: TaskFile,
  { agents }: GiveBackDeps,
): GiveBackOutcome {
  const answer = { kind: 'landed', generation: task.front.generation } as const
  if (keptFor === undefined || task.front.for === keptFor) return { answer }
  const verdict = decideTransfer(task.front.domain, keptFor, agents)
  if (!verdict.ok) return { answer: refusal(verdict.rule, verdict.say) }
  return { answer, task: withFront(task, { for: keptFor }), to: found.path }
}

function refusalOf(
  { keptFor }: Extract<SyncRequest, { kind: 'give-back' }>,
  holder: string,
  task: TaskFile,
  { agent, agents, zone }: GiveBackDeps,
): SyncAnswer | undefined {
  const isOwn = holder === agent
  if (!isOwn && zone !== 'local')
    return refusal('not-your-work', `${holder} holds it; only the local zone takes it from there.`)
  if ((isOwn ? zone : agents.get(holder)) === 'local' && isBeingExecuted(task))
    return refusal(
      'being-executed',
      'It was approved and is on its way. To take it back, move its file to Pending_Approval.',
    )
  const verdict = keptFor === undefined ? ({ ok: true } as const) : decideTransfer(task.front.domain, keptFor, agents)
  return verdict.ok ? undefined : refusal(verdict.rule, verdict.say)
}
