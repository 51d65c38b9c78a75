import { briefOf, readAction } from '#core/action.ts'
import { warningsIn } from '#core/card.ts'
import { asksForCode } from '#core/confirmation.ts'
import type { TaskId } from '#core/ids.ts'
import type { ReviewApart, ReviewItem } from '#core/review.ts'
import { draftOf, section } from '#core/task-file.ts'
import { messagesIn } from '#core/thread-text.ts'
import { DOMAINS, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'
import { cardAsShown, readTask } from './read-task.ts'

export interface GatheredReview {
  readonly items: readonly ReviewItem[]
  readonly apart: readonly ReviewApart[]
  /** `Presentation.shown` of each item. */
  readonly shownOf: ReadonlyMap<TaskId, string>
}

/** Everything that waits for the person: what may stand in the review sheet, and what has to be looked at by itself. */
export async function gatherReview(
  deps: Pick<ExecutorDeps, 'vault' | 'received' | 'journal'>,
): Promise<GatheredReview> {
  const items: ReviewItem[] = []
  const apart: ReviewApart[] = []
  const shownOf = new Map<TaskId, string>()
  for (const domain of DOMAINS) {
    for (const path of await deps.vault.list(`Pending_Approval/${domain}`)) {
      const found = await lookAt(path, deps)
      if ('say' in found) apart.push(found)
      else {
        items.push(found.item)
        shownOf.set(found.item.taskId, found.shown)
      }
    }
  }
  return { items, apart, shownOf }
}

async function lookAt(
  path: VaultPath,
  deps: Pick<ExecutorDeps, 'vault' | 'received' | 'journal'>,
): Promise<ReviewApart | { readonly item: ReviewItem; readonly shown: string }> {
  const read = await readTask(path, deps)
  if (read.kind !== 'read' || !read.parsed.ok)
    return {
      path,
      title: titleOfName(path),
      say: read.kind === 'unreadable' ? read.say : 'the file says what is wrong',
    }
  const { task } = read.parsed
  const { id, title, generation, drafted, created } = task.front
  const shown = cardAsShown(path, read, task, deps)
  if (!shown) return { path, title, say: 'its card is being made' }
  if (deps.journal.useOf(id, generation) === 'unknown') return { path, title, say: 'say first whether it was done' }
  const action = readAction(task)
  if (!action.ok) return { path, title, say: 'there is nothing to approve yet; its card says why' }
  if (asksForCode(task)) return { path, title, say: 'it is high-risk: it needs the code of its card' }
  const card = section(task, 'card') ?? ''
  const item = {
    ...{ taskId: id, path, title, card, brief: briefOf(action.action), at: drafted?.at ?? created },
    ...{ draft: draftOf(task) ?? '', original: messagesIn(section(task, 'original') ?? '').at(-1) ?? '' },
    risks: warningsIn(task).length,
  }
  return { item, shown: shown.shown }
}

/** `EMAIL_2026-11-20_invoice-for-march_7h3k9q.md` → `invoice for march`. */
function titleOfName(path: string): string {
  return (path.split('_').at(-2) ?? path).replaceAll('-', ' ')
}
