import { withHistory } from '#core/claim.ts'
import { keptText } from '#core/draft-revision.ts'
import type { TaskId } from '#core/ids.ts'
import { openNotes } from '#core/notes-to-drafter.ts'
import type { Presentation } from '#core/ports/journal.ts'
import { renderTaskFile, section, type TaskFile, ticksOf, withFront } from '#core/task-file.ts'
import { fileNameOf, folderOf, taskPath, type VaultPath, vaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { eachTask } from './each-task.ts'
import { type Read, readTask } from './read-task.ts'

export const APPROVED = folderOf({ kind: 'approved' })

/** Gives why it stays. */
export async function moveTicked(
  path: VaultPath,
  to: 'approved' | 'rejected',
  deps: ExecutorDeps,
): Promise<string | undefined> {
  const target = taskPath({ kind: to }, fileNameOf(path))
  return sayTaken(await deps.vault.move(path, target), target)
}

function sayTaken(moved: 'moved' | 'gone' | 'exists', target: VaultPath): string | undefined {
  return moved === 'exists' ? `It is decided, but ${target} stands there already: move one of the two away.` : undefined
}

/** Gives why it stays. */
export async function approveTicked(
  path: VaultPath,
  shown: Presentation,
  deps: ExecutorDeps,
): Promise<string | undefined> {
  const stays = await moveTicked(path, 'approved', deps)
  // After the move: whoever dies in between finds it in Approved/ and goes on.
  if (stays === undefined) countOnce(shown, deps)
  return stays
}

/**
 * A card that was approved counts in Approved/ from then on, and nowhere else: a file that the person takes out of there
 * again comes with its old tick, in itself or in the review sheet, and is shown anew instead.
 */
export function countOnce(shown: Presentation, deps: Pick<ExecutorDeps, 'journal'>): void {
  if (shown.folder !== APPROVED) deps.journal.presenting({ ...shown, folder: APPROVED })
}

/** However the file came to Rejected/ (box, move, command), the decision is recorded once. */
export async function recordRejection(path: VaultPath, deps: ExecutorDeps): Promise<undefined> {
  const read = await readTask(path, deps)
  if (read.kind !== 'read' || !read.parsed.ok) return
  const { task } = read.parsed
  if (deps.journal.presentation(task.front.id)?.fileName !== fileNameOf(path)) return
  const at = new Date(deps.clock.now()).toISOString()
  if (task.front.history.at(-1)?.state !== 'Rejected') {
    if (!deps.isQuiet(path, read.text)) return
    const recorded = renderTaskFile(withHistory(task, 'Rejected', 'person', at))
    if ((await deps.vault.replaceIf(path, read.text, recorded)) !== 'replaced') return
  }
  await deps.ledger.append('task.rejected', { task: task.front.id })
  deps.journal.withdraw(task.front.id)
  deps.journal.forgetDraft(task.front.id)
  deps.metrics.count('countersign_tasks_total', { outcome: 'rejected' })
}

/**
 * Back to the drafters with the person's notes. The tick stays in the file until the move, so that a crash repeats it.
 * Gives why it stays.
 */
export async function redraft(
  path: VaultPath,
  read: Read,
  task: TaskFile,
  deps: ExecutorDeps,
): Promise<string | undefined> {
  const place = { kind: 'needs-action', domain: task.front.domain } as const
  if (!isRedraftHalfDone(task)) {
    // The notes may be half saved.
    if (!deps.isQuiet(path, read.text)) return undefined
    const at = new Date(deps.clock.now()).toISOString()
    const returned = withHistory(task, `Needs_Action/${task.front.domain}`, 'person', at)
    const cleared = renderTaskFile(withFront(returned, { presented: undefined, outcome: undefined }))
    if ((await deps.vault.replaceIf(path, read.text, cleared)) !== 'replaced') return undefined
  }
  const target = taskPath(place, fileNameOf(path))
  return sayTaken(await deps.vault.move(path, target), target)
}

/** However a file left the person's hands, by box or by hand, what was shown of it is of no more use to anybody. */
export async function withdrawLeft(deps: ExecutorDeps): Promise<Held[]> {
  const shown = deps.journal.presentations().map((one) => ({ ...one, path: `${one.folder}/${one.fileName}` }))
  return eachTask(shown, deps, async ({ taskId, fileName, path }) => {
    const now = (await deps.vault.exists(vaultPath(path))) ? path : await deps.vault.find(fileName)
    if (now === undefined || isInHand(now, deps)) return undefined
    if (now.startsWith('Needs_Action/')) {
      await askAgain(taskId, vaultPath(now), deps)
      await deps.ledger.append('task.redraft', { task: taskId })
      deps.metrics.count('countersign_tasks_total', { outcome: 'redraft' })
    }
    deps.journal.withdraw(taskId)
    return undefined
  })
}

/** What the next revision is to be compared with stays, and so do the notes, whatever is made of them on the way. */
export async function askAgain(taskId: TaskId, path: VaultPath, deps: ExecutorDeps): Promise<void> {
  const memory = deps.journal.draftMemory(taskId)
  const read = await readTask(path, deps)
  const notes = read.kind === 'read' && read.parsed.ok ? (section(read.parsed.task, 'notes') ?? '') : ''
  if (memory) deps.journal.rememberDraft({ ...memory, asked: keptText(openNotes(notes)) })
}

function isInHand(path: string, deps: ExecutorDeps): boolean {
  return ['Pending_Approval/', 'Approved/', 'Rejected/', `In_Progress/${deps.agent}/`].some((one) =>
    path.startsWith(one),
  )
}

export function isRedraftHalfDone(task: TaskFile): boolean {
  const last = task.front.history.at(-1)
  return (
    last?.agent === 'person' &&
    last.state.startsWith('Needs_Action/') &&
    task.front.presented === undefined &&
    ticksOf(task).join() === 'redraft'
  )
}
