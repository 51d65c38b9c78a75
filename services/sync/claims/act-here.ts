import { claimedBy, isClaimable, takesUp } from '#core/claim.ts'
import { arrivalFault } from '#core/hand-over.ts'
import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { Claim } from '#core/ports/sync-store.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import { ifItFits, parseTaskFile, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { fileNameOf, folderOf, isConflictCopy, placeOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import { isLocalOnly } from '#core/zone-policy.ts'
import { landedClaims } from '../hub/settle-intents.ts'
import { announceClaims } from '../report-cycle.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { answerRequests } from './answer-requests.ts'
import { decideClaim } from './decide-claim.ts'
import { planGiveBack } from './give-back.ts'
import { rememberOffline } from './offline-claims.ts'
import { isOnlyHere, isPrivate, NO_ROOM, refusal, SAY_NO_ROOM, type Standing, standsHere } from './standing.ts'

/** A change of one task in the work tree alone, written down before it is begun. */
interface Act {
  readonly from: VaultPath
  readonly to: VaultPath
  readonly was: Oid
  readonly next: Oid
  readonly claim?: Claim
}

/**
 * Does in the work tree what the hub need not be asked about: nobody else can hold a task that no push has ever begun
 * to carry, nor one of a domain that only this one agent may claim. Gives the requests that are left.
 */
export async function actHere(
  requests: readonly SyncRequest[],
  isHubAway: boolean,
  deps: SyncDeps,
): Promise<readonly SyncRequest[]> {
  const facts = await factsOf(deps)
  const left: SyncRequest[] = []
  for (const request of requests) {
    const found = standsHere(request.file, deps)
    const answer = found && (await act(request, found, isHubAway, facts, deps))
    if (!answer) left.push(request)
    else if (answer !== 'told later') await answerRequests([request], new Map([[request.id, answer]]), deps)
  }
  for (const found of openHere(deps)) {
    if (deps.notOurs.has(found.oid)) continue
    const { task } = await readHere(found, deps)
    if (!mayAct(found, task, isHubAway, facts, deps)) continue
    const isWanted = task && takesUp(task, deps.agent, deps.zone) && arrivalFault(task) === undefined
    if (isWanted) await claimHere(found, task, undefined, deps)
    else deps.notOurs.add(found.oid)
  }
  return left
}

/** After a crash in the middle of an act: it is completed, or it has not begun. */
export async function settleAct(deps: SyncDeps): Promise<void> {
  const text = deps.store.fact('act')
  if (text === undefined) return
  const one = JSON.parse(text) as Act
  await deps.scanner.look([one.from, one.to])
  const oidAt = (path: VaultPath) => deps.scanner.view.known(path)?.oid
  if (oidAt(one.to) === one.next) return finish(one, deps)
  if (oidAt(one.from) === one.next && (await move(one, deps))) return finish(one, deps)
  deps.store.update({ facts: { act: null } })
}

interface Facts {
  readonly agents: Awaited<ReturnType<SyncDeps['trust']>>['agents']
  /** No other agent of this zone is trusted. */
  readonly isAlone: boolean
  /** The store has seen the hub: what it does not know the hub has never been sent. */
  readonly isTrusted: boolean
}

async function factsOf({ trust, agent, zone, store }: SyncDeps): Promise<Facts> {
  const { agents } = await trust()
  return {
    agents,
    isAlone: [...agents].every(([name, other]) => name === agent || other !== zone),
    isTrusted: store.fact('based') !== undefined && store.fact('verified') !== undefined,
  }
}

function mayAct(
  { path }: Standing,
  task: TaskFile | undefined,
  isHubAway: boolean,
  { isAlone, isTrusted }: Facts,
  deps: SyncDeps,
): boolean {
  const isOwn = deps.zone === 'local' && (isPrivate(path, deps) || (task ? isLocalOnly(task.front.domain) : false))
  const isUnknown = isOnlyHere(mergeKey(path), deps)
  if (isOwn && !deps.carriesPrivate && isUnknown && (isAlone || isTrusted)) return true
  return isHubAway && ((isUnknown && isTrusted) || (isOwn && isAlone))
}

/** Open tasks that only this clone has: what the hub knows is no difference for long. */
function openHere(deps: SyncDeps): Standing[] {
  return [...deps.scanner.view.differing()]
    .filter((path) => isClaimable(placeOf(path), deps.zone) && !isConflictCopy(path))
    .filter((path) => isOnlyHere(mergeKey(path), deps))
    .flatMap((path) => standsHere(fileNameOf(path), deps) ?? [])
}

async function readHere({ oid, place }: Standing, { repo }: SyncDeps) {
  const parsed = parseTaskFile(Buffer.from(await repo.readBlob(oid, maxBytesOf(place))).toString('utf8'))
  return { parsed, task: parsed.ok ? parsed.task : undefined }
}

async function act(
  request: SyncRequest,
  found: Standing,
  isHubAway: boolean,
  facts: Facts,
  deps: SyncDeps,
): Promise<SyncAnswer | 'told later' | undefined> {
  const { parsed, task } = await readHere(found, deps)
  if (!mayAct(found, task, isHubAway, facts, deps)) return undefined
  if (request.kind === 'look') {
    // About what the hub may know, it is asked.
    if (!isOnlyHere(request.file, deps)) return undefined
    return { kind: 'seen', place: folderOf(found.place), generation: task?.front.generation ?? null }
  }
  if (request.kind === 'claim') {
    const verdict = decideClaim(found, parsed, request.task, deps)
    if ('kind' in verdict) return verdict
    return (await claimHere(found, verdict.task, request.id, deps)) ? 'told later' : undefined
  }
  const outcome = ifItFits(() =>
    planGiveBack(request, found, parsed, {
      ...{ ...deps, agents: facts.agents },
      hasStayed: isPrivate(found.path, deps),
    }),
  )
  if (!outcome) return refusal(NO_ROOM, SAY_NO_ROOM)
  if (!outcome.task || outcome.to === undefined) return outcome.answer
  const next = await deps.repo.writeBlob(Buffer.from(renderTaskFile(outcome.task)))
  return (await perform({ from: found.path, to: outcome.to, was: found.oid, next }, deps)) ? outcome.answer : undefined
}

async function claimHere(
  found: Standing,
  task: TaskFile,
  request: string | undefined,
  deps: SyncDeps,
): Promise<boolean> {
  const claimed = ifItFits(() => claimedBy(task, deps.agent, new Date(deps.clock.now()).toISOString()))
  if (!claimed) return false
  const next = await deps.repo.writeBlob(Buffer.from(renderTaskFile(claimed)))
  const to = taskPath({ kind: 'in-progress', agent: deps.agent }, fileNameOf(found.path))
  const { id: taskId, generation } = claimed.front
  const claim = { taskId, generation, ...(request !== undefined && { request }) }
  return perform({ from: found.path, to, was: found.oid, next, claim }, deps)
}

/** New bytes in the old place, then one rename. False: somebody changed the file meanwhile; nothing is decided. */
async function perform(one: Act, deps: SyncDeps): Promise<boolean> {
  const { identity } = deps.scanner.view.known(one.from) ?? {}
  if (!identity) return false
  deps.store.update({ facts: { act: JSON.stringify(one) } })
  await deps.at('act-begun')
  const bytes = await deps.repo.readBlob(one.next, maxBytesOf(placeOf(one.from)))
  const written = await deps.workTree.write(one.from, bytes, identity)
  deps.scanner.mark(one.from)
  await deps.at('act-written')
  await deps.scanner.look([one.from])
  if (written.kind === 'changed' || !(await move(one, deps))) {
    deps.store.update({ facts: { act: null } })
    return false
  }
  await deps.at('act-moved')
  await finish(one, deps)
  return true
}

async function move({ from, to }: Act, deps: SyncDeps): Promise<boolean> {
  if (from === to) return true
  const { identity } = deps.scanner.view.known(from) ?? {}
  const moved = identity && (await deps.workTree.move(from, to, identity))
  for (const path of [from, to]) deps.scanner.mark(path)
  return moved?.kind === 'done'
}

async function finish(one: Act, deps: SyncDeps): Promise<void> {
  const { claim } = one
  deps.store.update({
    facts: {
      act: null,
      ...(claim && {
        landed_claims: JSON.stringify([...landedClaims(deps), claim]),
        ...rememberOffline(one, claim, deps),
      }),
    },
  })
  deps.attention.wakePaths([one.from])
  await announceClaims(deps)
}
