import { asksForCode } from '#core/confirmation.ts'
import { CountersignError } from '#core/errors.ts'
import type { ReviewedItem, WrittenReview } from '#core/ports/journal.ts'
import {
  asksForReview,
  isReview,
  type ReviewSheet,
  renderReview,
  renderReviewDone,
  reviewDigest,
  ticksInReview,
} from '#core/review.ts'
import { ticksOf } from '#core/task-file.ts'
import { keptReviewPath, REVIEW_SHEET, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { asItems, eachTask } from './each-task.ts'
import { gatherReview } from './gather-review.ts'
import { approveTicked } from './obey-person.ts'
import { cardAsShown, readTask } from './read-task.ts'
import { leaveUnreadable, recordRefused } from './refuse-file.ts'

const MAX_KEPT = 100

/**
 * Writes Review.md for a person who asked for it (an empty note of that name) and obeys its ticks: each leads to where a
 * tick in the task's own file leads, and counts only while that file is, to the letter, what the sheet was made from.
 * The sheet stands as it was written until all of it is decided, it is asked for anew, or a tick could not be obeyed; one
 * that was changed otherwise is kept aside. Any other note of that name is the person's own and is not touched.
 */
export function obeyReview(deps: ExecutorDeps): Promise<Held[]> {
  // As with a task: a sheet that cannot be written keeps nothing else waiting.
  return eachTask(asItems([REVIEW_SHEET]), deps, () => obeySheet(deps))
}

async function obeySheet(deps: ExecutorDeps): Promise<string | undefined> {
  let text: string | undefined
  try {
    text = await deps.vault.read(REVIEW_SHEET)
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')) throw error
    return leaveUnreadable(REVIEW_SHEET, `${error.message}. ${error.hint}`, deps)
  }
  if (text === undefined) return undefined
  const asked = text
  if (asksForReview(asked)) await whenQuiet(asked, deps, () => replaceSheet(asked, undefined, deps))
  else if (isReview(asked)) await obey(asked, deps)
  return undefined
}

async function obey(text: string, deps: ExecutorDeps): Promise<void> {
  const written = deps.journal.reviewOf(reviewDigest(text))
  if (!written) return whenQuiet(text, deps, () => keepAside(deps))
  const ticked = new Set(ticksInReview(text))
  const refused: ReviewedItem[] = []
  for (const item of written.items.filter(({ taskId }) => ticked.has(taskId)))
    if ((await obeyTick(item, deps)) === 'not-as-shown') refused.push(item)
  if (refused.length > 0) return whenQuiet(text, deps, () => refuseTicks(text, refused, deps))
  if (written.items.length > 0 && !(await isAnyWaiting(written, deps)))
    await whenQuiet(text, deps, () => replaceByDone(text, deps))
}

async function obeyTick({ taskId, path, shown }: ReviewedItem, deps: ExecutorDeps): Promise<'ok' | 'not-as-shown'> {
  const at = path as VaultPath
  const verdict = await deps.inHand.take(taskId, async () => {
    const read = await readTask(at, deps)
    // Decided already, by this tick in an earlier pass or otherwise.
    if (read.kind === 'gone') return 'ok'
    if (read.kind === 'unreadable' || !read.parsed.ok) return 'not-as-shown'
    const { task } = read.parsed
    const isContrary = ticksOf(task).some((tick) => tick !== 'approve')
    const card = task.front.id === taskId ? cardAsShown(at, read, task, deps) : undefined
    if (card?.shown !== shown || isContrary || asksForCode(task)) return 'not-as-shown'
    await approveTicked(at, card, deps)
    return 'ok'
  })
  // Somebody else has it in hand: it is looked at again when they are done.
  return verdict ?? 'ok'
}

async function isAnyWaiting({ items }: WrittenReview, deps: ExecutorDeps): Promise<boolean> {
  for (const { path } of items) if (await deps.vault.exists(path as VaultPath)) return true
  return false
}

/** An editor that saves in place empties the note and writes it anew. */
async function whenQuiet(text: string, deps: ExecutorDeps, act: () => Promise<void>): Promise<void> {
  if (deps.isQuiet(REVIEW_SHEET, text)) await act()
}

async function refuseTicks(text: string, refused: readonly ReviewedItem[], deps: ExecutorDeps): Promise<void> {
  for (const { taskId, path } of refused)
    await recordRefused(path as VaultPath, { rule: 'review-item-changed', say: '', task: taskId }, deps)
  const names = refused.map(({ title }) => `“${title.slice(0, 80)}”`)
  const listed = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  const what = refused.length === 1 ? 'is not any more as the last sheet showed it' : 'are not any more as shown'
  await replaceSheet(text, `${listed} ${what}, so that tick did not count. Look again.`, deps)
}

/** Whatever was written into it stays, under another name, to the last byte. */
async function keepAside(deps: ExecutorDeps): Promise<void> {
  const now = deps.clock.now()
  for (let more = 0; more < MAX_KEPT; more++) {
    const kept = keptReviewPath(now, more)
    const moved = await deps.vault.move(REVIEW_SHEET, kept)
    if (moved === 'exists') continue
    if (moved === 'gone') return
    await recordRefused(REVIEW_SHEET, { rule: 'review-changed', say: '' }, deps)
    const say = `The last sheet was changed in more than its ticks, so nothing in it counted. It is kept as ${kept}.`
    const sheet = await newSheet(say, deps)
    keep(sheet.sheet, sheet.items, deps)
    await deps.vault.create(REVIEW_SHEET, sheet.sheet.text)
    return
  }
}

async function replaceSheet(text: string, reason: string | undefined, deps: ExecutorDeps): Promise<void> {
  const { sheet, items } = await newSheet(reason, deps)
  keep(sheet, items, deps)
  await deps.vault.replaceIf(REVIEW_SHEET, text, sheet.text)
}

async function replaceByDone(text: string, deps: ExecutorDeps): Promise<void> {
  const { items, apart } = await gatherReview(deps)
  const at = new Date(deps.clock.now()).toISOString()
  const sheet = renderReviewDone({ at, waiting: items.length + apart.length })
  keep(sheet, [], deps)
  await deps.vault.replaceIf(REVIEW_SHEET, text, sheet.text)
}

async function newSheet(
  reason: string | undefined,
  deps: ExecutorDeps,
): Promise<{ sheet: ReviewSheet; items: ReviewedItem[] }> {
  const { items, apart, shownOf } = await gatherReview(deps)
  const sheet = renderReview({ at: new Date(deps.clock.now()).toISOString(), reason, items, apart })
  return {
    sheet,
    items: sheet.shown.map(({ taskId, path, title }) => ({ taskId, path, title, shown: shownOf.get(taskId) ?? '' })),
  }
}

/** Before the file: a tick set the moment it can be seen counts. */
function keep({ digest }: ReviewSheet, items: readonly ReviewedItem[], deps: ExecutorDeps): void {
  deps.journal.keepReview({ digest, items })
}
