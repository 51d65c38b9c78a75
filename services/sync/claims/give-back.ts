import { isBeingExecuted } from '#core/claim.ts'
import { decideHandOver, type HandOver, handedOver } from '#core/hand-over.ts'
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

type GiveBackDeps = Pick<SyncDeps, 'agent' | 'zone' | 'clock'> & { readonly agents: ReadonlyMap<string, Zone> } & {
  /** It was private to this machine before. */
  readonly hasStayed: boolean
}

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
  const released = handedOver(task, handOverOf(request), by, new Date(deps.clock.now()).toISOString())
  const to = taskPath({ kind: 'needs-action', domain: released.front.domain }, fileNameOf(found.path))
  return { answer: { kind: 'landed', generation: released.front.generation }, task: released, to }
}

/** It stands open: already given back, or only to be kept for somebody, or of another domain than its folder says. */
function keepFor(
  request: Extract<SyncRequest, { kind: 'give-back' }>,
  found: Standing,
  task: TaskFile,
  deps: GiveBackDeps,
): GiveBackOutcome {
  const { keptFor, domain = task.front.domain } = request
  const answer = { kind: 'landed', generation: task.front.generation } as const
  const isThere = domain === task.front.domain && (keptFor === undefined || task.front.for === keptFor)
  if (isThere) return { answer }
  const verdict = decideHandOver(task, handOverOf(request), deps)
  if (!verdict.ok) return { answer: refusal(verdict.rule, verdict.say) }
  if (domain === task.front.domain) return { answer, task: withFront(task, { for: keptFor }), to: found.path }
  if (deps.zone !== 'local')
    return {
      answer: refusal(
        'not-your-work',
        'Nobody holds it: only the local zone, or who has claimed it, changes its domain.',
      ),
    }
  const handed = handedOver(task, handOverOf(request), 'person', new Date(deps.clock.now()).toISOString())
  const to = taskPath({ kind: 'needs-action', domain }, fileNameOf(found.path))
  return { answer: { kind: 'landed', generation: handed.front.generation }, task: handed, to }
}

function handOverOf({ keptFor, domain, why }: Extract<SyncRequest, { kind: 'give-back' }>): HandOver {
  return { to: keptFor, domain, why }
}

function refusalOf(
  request: Extract<SyncRequest, { kind: 'give-back' }>,
  holder: string,
  task: TaskFile,
  deps: GiveBackDeps,
): SyncAnswer | undefined {
  const { agent, agents, zone } = deps
  const isOwn = holder === agent
  if (!isOwn && zone !== 'local')
    return refusal('not-your-work', `${holder} holds it; only the local zone takes it from there.`)
  if ((isOwn ? zone : agents.get(holder)) === 'local' && isBeingExecuted(task))
    return refusal(
      'being-executed',
      'It was approved and is on its way. To take it back, move its file to Pending_Approval.',
    )
  const isPlain = request.keptFor === undefined && request.domain === undefined
  const verdict = isPlain ? ({ ok: true } as const) : decideHandOver(task, handOverOf(request), deps)
  return verdict.ok ? undefined : refusal(verdict.rule, verdict.say)
}
