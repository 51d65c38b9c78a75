import { type ActionVerdict, actionDigest, readAction } from '#core/action.ts'
import { renderCard } from '#core/card.ts'
import { withHistory } from '#core/claim.ts'
import { CountersignError } from '#core/errors.ts'
import { envelopeDigest, isDone, sayAction } from '#core/execution.ts'
import { withNotice, withoutNotice } from '#core/notice.ts'
import type { Presentation, SentBack } from '#core/ports/journal.ts'
import { renderProblemCard } from '#core/problem-card.ts'
import { renderTaskFile, type TaskFile, ticksOf, withFront } from '#core/task-file.ts'
import { DOMAINS, fileNameOf, taskPath, type VaultPath, vaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { asItems, eachTask } from './each-task.ts'
import { folderOf, isCardOf, type Read, readTask, standingCard } from './read-task.ts'
import { recordUndone } from './send-back.ts'

/** What stands in place of a digest when there is nothing to approve. */
const NO_ACTION = 'none'

/**
 * Puts every draft before the person: the card is rendered in place from the action, its digests are journaled, and a
 * box ticked in a presented file is obeyed. A file that cannot be read as a task gets an explanation on top. Gives the
 * files it could not touch, and why.
 */
export async function presentDrafts(deps: ExecutorDeps): Promise<Held[]> {
  const held: Held[] = []
  for (const domain of DOMAINS) {
    const paths = await deps.vault.list(`Pending_Approval/${domain}`)
    held.push(...(await eachTask(asItems(paths), deps, ({ path }) => presentDraft(path, deps))))
  }
  const rejected = await deps.vault.list('Rejected')
  held.push(...(await eachTask(asItems(rejected), deps, ({ path }) => recordRejection(path, deps))))
  return [...held, ...(await withdrawLeft(deps))]
}

async function presentDraft(path: VaultPath, deps: ExecutorDeps): Promise<string | undefined> {
  const read = await readTask(path, deps)
  if (read.kind === 'unreadable') return read.say
  if (read.kind === 'read') await presentText(path, read, deps)
  return undefined
}

async function presentText(path: VaultPath, read: Read, deps: ExecutorDeps) {
  const { parsed } = read
  if (!parsed.ok) {
    const back = deps.journal.sentBack(fileNameOf(path))
    const why = back && back.rule !== 'file-invalid' ? `${back.say} Besides, it` : 'It'
    return explain(path, read.text, `${why} could not be read: ${parsed.problem}.`, deps)
  }
  const { task } = parsed
  const frozen = deps.journal.freezeOf(task.front.id)
  if (frozen?.fileName === fileNameOf(path) && !(await takeBack(path, task, frozen.generation, deps))) return
  const back = deps.journal.sentBack(fileNameOf(path))
  const last = deps.journal.presentation(task.front.id)
  if (last && last.fileName !== fileNameOf(path) && (await deps.vault.find(last.fileName)))
    return explain(path, read.text, `It carries the id of another task: ${last.fileName}. One of them must go.`, deps)
  const shown = standingCard(path, task.front.id, read, deps)
  const action = readAction(task)
  const isCurrent =
    back === undefined &&
    shown?.generation === task.front.generation &&
    isCardOf(shown, task) &&
    shown.envelope === envelopeOf(action) &&
    withoutNotice(read.text) === read.text
  const ticks = ticksOf(task)
  if (shown && isRedraftHalfDone(task)) return redraft(path, read, task, deps)
  if (!isCurrent) return present(path, read, task, action, { last, back, say: sayReceived(path, read, last) }, deps)
  if (ticks.length > 1)
    return present(path, read, task, action, { last, back, say: 'You ticked more than one box.' }, deps)
  if (ticks[0] === 'approve') await moveTicked(path, 'approved', deps)
  if (ticks[0] === 'reject') await moveTicked(path, 'rejected', deps)
  if (ticks[0] === 'redraft') await redraft(path, read, task, deps)
}

/** For a file that is not any more what was shown, though nobody here changed it. */
function sayReceived(path: VaultPath, read: Read, last: Presentation | undefined): string | undefined {
  const isReceived = last?.stands && last.fileName === fileNameOf(path) && last.received !== read.received
  return isReceived ? 'This file changed after it was shown to you: another version of it was received.' : undefined
}

/**
 * Journal, file, journal: a decision on a card counts from the moment the card can be seen, whenever we die. That the
 * reason it was sent back for is told, and that all its words are ours, is believed only of a card that was surely written.
 */
async function present(
  path: VaultPath,
  read: Read,
  task: TaskFile,
  action: ActionVerdict,
  why: Why,
  deps: ExecutorDeps,
): Promise<void> {
  const at = deps.clock.now()
  const digest = action.ok ? actionDigest(action.action) : NO_ACTION
  const say = why.back?.say ?? why.say
  const isKnown = why.last !== undefined || why.back !== undefined
  if (isKnown && !deps.isQuiet(path, read.text)) return
  const isOwnText = isOurs(path, read, why.last)
  let rendered: string
  let generation: number
  try {
    const prepared = prepare(task, isOwnText, why.back, at)
    generation = prepared.front.generation
    const facts = { digest, presentedAt: new Date(at).toISOString(), undoSeconds: deps.undoMs / 1000, notice: say }
    rendered = renderTaskFile(
      action.ok
        ? renderCard(prepared, action.action, facts)
        : renderProblemCard(prepared, say ?? problemOf(task, action), facts),
    )
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID')) throw error
    return explain(path, read.text, `The approval card could not be added: ${error.message}.`, deps)
  }
  const card = {
    ...{ taskId: task.front.id, fileName: fileNameOf(path), folder: folderOf(path), received: read.received },
    ...{ generation, digest, envelope: envelopeOf(action), at },
  }
  deps.journal.presenting({ ...card, isOwnText })
  if ((await deps.vault.replaceIf(path, read.text, rendered)) !== 'replaced') {
    // The person may have saved meanwhile: then this card is out of date, and the change is on its way to us.
    if (why.last?.stands) deps.journal.presenting(why.last)
    else deps.journal.unpresent(fileNameOf(path))
    return
  }
  deps.journal.present({ ...card, isOwnText: isOwnText || action.ok })
  await deps.ledger.append('draft.presented', { task: task.front.id, data: { digest, generation } })
  deps.log.info(
    { task: task.front.id, path, ...(why.back && { rule: why.back.rule }) },
    'put a draft before the person',
  )
}

/** Why a card is made: what was presented last for the task, why it is back, what else is to be said. */
interface Why {
  readonly last: Presentation | undefined
  readonly back: SentBack | undefined
  readonly say: string | undefined
}

/**
 * Whether all words of the note are ours or the person's. Those of anybody else are dropped: they could show the person
 * another draft than the one that is sent.
 */
function isOurs(path: VaultPath, read: Read, last: Presentation | undefined): boolean {
  return last?.fileName === fileNameOf(path) && last.received === read.received && last.isOwnText
}

/**
 * The task as the card will be built on: a presentation that is not ours does not count, an old outcome goes, except
 * that it was done.
 */
function prepare(task: TaskFile, isOwnText: boolean, back: SentBack | undefined, now: number): TaskFile {
  const at = new Date(back?.at ?? now).toISOString()
  return withFront(task, {
    ...(!isOwnText && { presented: undefined }),
    ...(back && { generation: Math.max(task.front.generation, back.generation) }),
    ...(back && !isDone(task) && { outcome: { status: back.rule, at, reason: back.say.slice(0, 500) } }),
  })
}

/**
 * Whether the file carries the card that was written here. The digest of a known action can be computed by anyone; when
 * the card was made, to the millisecond, was known to nobody else before it was written.
 */
function problemOf(task: TaskFile, action: Extract<ActionVerdict, { ok: false }>): string {
  return task.front.outcome?.reason ?? sayAction(action.rule, action.problem, task)
}

function envelopeOf(action: ActionVerdict): string {
  return action.ok ? envelopeDigest(action.action) : NO_ACTION
}

/**
 * The file keeps every byte; the explanation stands before it. What was presented in it stands no more: a broken file
 * does not say any more that it was shown, and others may believe that.
 */
async function explain(path: VaultPath, text: string, say: string, deps: ExecutorDeps): Promise<void> {
  const explained = withNotice(text, say)
  if (explained === text || !deps.isQuiet(path, text)) return
  deps.journal.unpresent(fileNameOf(path))
  if ((await deps.vault.replaceIf(path, text, explained)) !== 'replaced') return
  deps.log.info({ path }, 'explained to the person why a file cannot be used')
}

/**
 * The file came back out of the undo window (or a crash cut a return short): what was approved counts no more. False
 * while its use is spent and the outcome is still to be found out: then reconcile decides.
 */
async function takeBack(path: VaultPath, task: TaskFile, generation: number, deps: ExecutorDeps): Promise<boolean> {
  const { id } = task.front
  const state = deps.journal.intentOf(id, generation)?.state
  if (state === 'consumed' || state === 'accepted') return false
  const isUndone = state === undefined || state === 'intended'
  if (isUndone) {
    const say = 'You took it back before it was done.'
    const at = deps.clock.now()
    deps.journal.sendBack({ fileName: fileNameOf(path), taskId: id, rule: 'undone', say, generation, at })
    await recordUndone(id, deps)
  }
  deps.journal.unfreeze(id)
  return true
}

async function moveTicked(path: VaultPath, to: 'approved' | 'rejected', deps: ExecutorDeps): Promise<void> {
  await deps.vault.move(path, taskPath({ kind: to }, fileNameOf(path)))
}

/** However the file came to Rejected/ (box, move, command), the decision is recorded once. */
async function recordRejection(path: VaultPath, deps: ExecutorDeps): Promise<undefined> {
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
  deps.metrics.count('countersign_tasks_total', { outcome: 'rejected' })
}

/** Back to the drafters with the person's notes. The tick stays in the file until the move, so that a crash repeats it. */
async function redraft(path: VaultPath, read: Read, task: TaskFile, deps: ExecutorDeps): Promise<void> {
  const place = { kind: 'needs-action', domain: task.front.domain } as const
  if (!isRedraftHalfDone(task)) {
    // The notes may be half saved.
    if (!deps.isQuiet(path, read.text)) return
    const at = new Date(deps.clock.now()).toISOString()
    const returned = withHistory(task, `Needs_Action/${task.front.domain}`, 'person', at)
    const cleared = renderTaskFile(withFront(returned, { presented: undefined, outcome: undefined }))
    if ((await deps.vault.replaceIf(path, read.text, cleared)) !== 'replaced') return
  }
  await deps.vault.move(path, taskPath(place, fileNameOf(path)))
}

/** However a file left the person's hands, by box or by hand, what was shown of it is of no more use to anybody. */
async function withdrawLeft(deps: ExecutorDeps): Promise<Held[]> {
  const shown = deps.journal.presentations().map((one) => ({ ...one, path: `${one.folder}/${one.fileName}` }))
  return eachTask(shown, deps, async ({ taskId, fileName, path }) => {
    const now = (await deps.vault.exists(vaultPath(path))) ? path : await deps.vault.find(fileName)
    if (now === undefined || isInHand(now, deps)) return undefined
    if (now.startsWith('Needs_Action/')) {
      await deps.ledger.append('task.redraft', { task: taskId })
      deps.metrics.count('countersign_tasks_total', { outcome: 'redraft' })
    }
    deps.journal.withdraw(taskId)
    return undefined
  })
}

function isInHand(path: string, deps: ExecutorDeps): boolean {
  return ['Pending_Approval/', 'Approved/', 'Rejected/', `In_Progress/${deps.agent}/`].some((one) =>
    path.startsWith(one),
  )
}

function isRedraftHalfDone(task: TaskFile): boolean {
  const last = task.front.history.at(-1)
  return (
    last?.agent === 'person' &&
    last.state.startsWith('Needs_Action/') &&
    task.front.presented === undefined &&
    ticksOf(task).join() === 'redraft'
  )
}
