import { claimedBy, givenBackBy } from '#core/claim.ts'
import { type ConflictCopy, mergeKey } from '#core/merge.ts'
import { MAX_NOTE_BYTES } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import { ifItFits, parseTaskFile, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'
import type { SyncDeps } from '../sync-deps.ts'
import type { MergeSides } from './plan-merge.ts'

/**
 * What was written into a task (a message that joined it) while this agent's claim of it was under way, or while it was
 * given back, is no conflict: both are made of the file as it stands, so they are made of the edited one. Changes `tree`;
 * gives the copies that are left to be kept.
 */
export async function carryEdits(
  copies: readonly ConflictCopy[],
  tree: Map<VaultPath, string>,
  sides: MergeSides,
  deps: Pick<SyncDeps, 'agent' | 'repo'>,
): Promise<readonly ConflictCopy[]> {
  const left: ConflictCopy[] = []
  for (const copy of copies) {
    const carried = await movedEdit(copy, sides, deps)
    if (carried === undefined) left.push(copy)
    else {
      tree.set(copy.of, carried)
      if (!sides.theirs.has(copy.path)) tree.delete(copy.path)
    }
  }
  return left
}

async function movedEdit(
  { of, blob }: ConflictCopy,
  { base, ours, theirs }: MergeSides,
  { agent, repo }: Pick<SyncDeps, 'agent' | 'repo'>,
): Promise<Oid | undefined> {
  const edited = [...ours].find(([path, oid]) => oid === blob && mergeKey(path) === mergeKey(of))?.[0]
  const before = edited && base.get(edited)
  const after = theirs.get(of)
  if (!before || !after) return undefined
  const [from, to] = [placeOf(edited), placeOf(of)]
  const isClaim = from.kind === 'needs-action' && to.kind === 'in-progress' && to.agent === agent
  const isGiveBack = to.kind === 'needs-action' && from.kind === 'in-progress' && from.agent === agent
  if (!isClaim && !isGiveBack) return undefined
  const read = async (oid: Oid): Promise<TaskFile | undefined> => {
    const parsed = parseTaskFile(Buffer.from(await repo.readBlob(oid, MAX_NOTE_BYTES)).toString('utf8'))
    return parsed.ok ? parsed.task : undefined
  }
  const [was, is, edit] = [await read(before), await read(after), await read(blob as Oid)]
  const last = is?.front.history.at(-1)
  if (!was || !is || !edit || !last || edit.front.id !== was.front.id) return undefined
  if (edit.front.generation !== was.front.generation) return undefined
  const moved = (task: TaskFile) =>
    renderTaskFile(isClaim ? claimedBy(task, agent, last.at) : givenBackBy(task, last.agent, last.at, is.front.for))
  const carried = ifItFits(() => (moved(was) === renderTaskFile(is) ? moved(edit) : undefined))
  return carried === undefined ? undefined : repo.writeBlob(Buffer.from(carried))
}
