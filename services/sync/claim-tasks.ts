import { claimedBy, isClaimable } from '#core/claim.ts'
import type { TaskJob } from '#core/jobs.ts'
import { mergeKey } from '#core/merge.ts'
import { checkCommit, maxBytesOf } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import { parseTaskFile, renderTaskFile } from '#core/task-file.ts'
import { fileNameOf, isConflictCopy, placeOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { HubView } from './hub-view.ts'
import { type PlannedChange, withBytes } from './plan-merge.ts'
import type { SyncDeps } from './sync-deps.ts'

export interface ClaimPlan {
  readonly changes: readonly PlannedChange[]
  readonly jobs: readonly TaskJob[]
}

/** Claimed in one push; the rest follows in the next. */
const MAX_CLAIMS = 50

/**
 * What this agent takes over, given the whole tree it is about to push: the tasks of its zone's domains that nobody
 * owns. Only the cloud claims from the hub; what local alone may do was never the hub's to give. It is a claim only
 * when the push that carries it has landed.
 */
export async function planClaims(hub: HubView, unmerged: ReadonlySet<string>, deps: SyncDeps): Promise<ClaimPlan> {
  if (deps.zone !== 'cloud') return { changes: [], jobs: [] }
  const open = [...hub.under('Needs_Action/')].filter(
    ([path]) => isClaimable(placeOf(path), deps.zone) && !isConflictCopy(path),
  )
  const changes: PlannedChange[] = []
  const jobs: TaskJob[] = []
  const before = new Map(open.map(([path, oid]) => [path, { oid }]))
  for (const [path, oid] of open.slice(0, MAX_CLAIMS)) {
    // A name that stands elsewhere too, or whose file here is not what the hub has: not before that is sorted out.
    const key = mergeKey(path)
    if (hub.of(key).length > 1 || unmerged.has(key) || deps.attention.held.has(key)) continue
    const claim = await claimOf(path, oid, deps)
    if (!claim) continue
    // As for any commit: what the table forbids is not pushed.
    const own = await withBytes(claim.changes, before, deps)
    if (checkCommit({ agent: deps.agent, zone: deps.zone }, own).length > 0) continue
    changes.push(...claim.changes)
    jobs.push(claim.job)
  }
  return { changes, jobs }
}

async function claimOf(
  path: VaultPath,
  oid: Oid,
  { repo, agent, clock }: SyncDeps,
): Promise<{ changes: PlannedChange[]; job: TaskJob } | undefined> {
  const place = placeOf(path)
  const parsed = parseTaskFile(Buffer.from(await repo.readBlob(oid, maxBytesOf(place))).toString('utf8'))
  // Broken by hand: the person sees it lying there; a file that nobody can read is nobody's work.
  if (!parsed.ok) return undefined
  const claimed = claimedBy(parsed.task, agent, new Date(clock.now()).toISOString())
  const claimedOid = await repo.writeBlob(Buffer.from(renderTaskFile(claimed)))
  const to = taskPath({ kind: 'in-progress', agent }, fileNameOf(path))
  return {
    changes: [
      { path, oid: null },
      { path: to, oid: claimedOid },
    ],
    job: { taskId: claimed.front.id, generation: claimed.front.generation },
  }
}
