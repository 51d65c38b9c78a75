import { claimedBy } from '#core/claim.ts'
import { type ConflictCopy, mergeKey } from '#core/merge.ts'
import { MAX_NOTE_BYTES } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import { parseTaskFile, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'
import type { SyncDeps } from '../sync-deps.ts'
import type { MergeSides } from './plan-merge.ts'

/**
 * What was written into an open task while this agent's own claim of it was under way (a message that joined it) is no
 * conflict: a claim is made of the file as it stands, so it is made of the edited one. Changes `tree`; gives the copies
 * that are left to be kept.
 */
export async function carryEdits(
  copies: readonly ConflictCopy[],
  tree: Map<VaultPath, string>,
  sides: MergeSides,
  deps: Pick<SyncDeps, 'agent' | 'repo'>,
): Promise<readonly ConflictCopy[]> {
  const left: ConflictCopy[] = []
  for (const copy of copies) {
    const carried = await claimOfEdit(copy, sides, deps)
    if (carried === undefined) left.push(copy)
    else {
      tree.set(copy.of, carried)
      if (!sides.theirs.has(copy.path)) tree.delete(copy.path)
    }
  }
  return left
}

async function claimOfEdit(
  { of, blob }: ConflictCopy,
  { base, ours, theirs }: MergeSides,
  { agent, repo }: Pick<SyncDeps, 'agent' | 'repo'>,
): Promise<Oid | undefined> {
  const place = placeOf(of)
  if (place.kind !== 'in-progress' || place.agent !== agent) return undefined
  const edited = [...ours].find(([path, oid]) => oid === blob && mergeKey(path) === mergeKey(of))?.[0]
  const before = edited && base.get(edited)
  const after = theirs.get(of)
  if (!before || !after || placeOf(edited).kind !== 'needs-action') return undefined
  const read = async (oid: Oid): Promise<TaskFile | undefined> => {
    const parsed = parseTaskFile(Buffer.from(await repo.readBlob(oid, MAX_NOTE_BYTES)).toString('utf8'))
    return parsed.ok ? parsed.task : undefined
  }
  const [open, claimed, edit] = [await read(before), await read(after), await read(blob as Oid)]
  const at = claimed?.front.history.at(-1)?.at
  if (!open || !claimed || !edit || at === undefined || edit.front.id !== open.front.id) return undefined
  if (edit.front.generation !== open.front.generation) return undefined
  const isOnlyClaimed = renderTaskFile(claimedBy(open, agent, at)) === renderTaskFile(claimed)
  return isOnlyClaimed ? repo.writeBlob(Buffer.from(renderTaskFile(claimedBy(edit, agent, at)))) : undefined
}
