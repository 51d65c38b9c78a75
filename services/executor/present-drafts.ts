import { type ActionVerdict, actionDigest, readAction } from '#core/action.ts'
import { renderCard } from '#core/card.ts'
import { withHistory } from '#core/claim.ts'
import { CountersignError } from '#core/errors.ts'
import { envelopeDigest, sayAction } from '#core/execution.ts'
import { withNotice, withoutNotice } from '#core/notice.ts'
import type { Presentation, SentBack } from '#core/ports/journal.ts'
import { renderProblemCard } from '#core/problem-card.ts'
import { renderTaskFile, type TaskFile, ticksOf, withFront } from '#core/task-file.ts'
import { DOMAINS, fileNameOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { asItems, eachTask } from './each-task.ts'
import { type ReadTask, readTask } from './read-task.ts'
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
  return [...held, ...(await eachTask(asItems(rejected), deps, ({ path }) => recordRejection(path, deps)))]
}

async function presentDraft(path: VaultPath, deps: ExecutorDeps): Promise<string | undefined> {
  const read = await readTask(path, deps)
  if (read.kind === 'unreadable') return read.say
  if (read.kind === 'read') await presentText(path, read, deps)
  return undefined
}

async function presentText(path: VaultPath, read: Extract<ReadTask, { kind: 'read' }>, deps: ExecutorDeps) {
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
  const shown = deps.journal.presentation(task.front.id)
  if (shown && shown.fileName !== fileNameOf(path) && (await deps.vault.find(shown.fileName)))
    return explain(path, read.text, `It carries the id of another task: ${shown.fileName}. One of them must go.`, deps)
  const action = readAction(task)
  const isCurrent =
    back === undefined &&
    shown?.generation === task.front.generation &&
    isCardOf(shown, task) &&
    shown.envelope === envelopeOf(action) &&
    withoutNotice(read.text) === read.text
  const ticks = ticksOf(task)
  if (shown && isRedraftHalfDone(task)) return redraft(path, task, deps)
  if (!isCurrent) return present(path, read.text, task, action, { shown, back }, deps)
  if (ticks.length > 1)
    return present(path, read.text, task, action, { shown, say: 'You ticked more than one box.' }, deps)
  if (ticks[0] === 'approve') await moveTicked(path, 'approved', deps)
  if (ticks[0] === 'reject') await moveTicked(path, 'rejected', deps)
  if (ticks[0] === 'redraft') await redraft(path, task, deps)
}

/** Journal, then file: a crash between the two leaves a card that is not current, and it is made again. */
async function present(
  path: VaultPath,
  text: string,
  task: TaskFile,
  action: ActionVerdict,
  why: { shown: Presentation | undefined; back?: SentBack | undefined; say?: string },
  deps: ExecutorDeps,
): Promise<void> {
  const at = deps.clock.now()
  const digest = action.ok ? actionDigest(action.action) : NO_ACTION
  const say = why.say ?? why.back?.say
  let rendered: string
  let generation: number
  try {
    const prepared = prepare(task, why, at)
    generation = prepared.front.generation
    const facts = { digest, presentedAt: new Date(at).toISOString(), undoSeconds: deps.undoMs / 1000, notice: say }
    rendered = renderTaskFile(
      action.ok
        ? renderCard(prepared, action.action, facts)
        : renderProblemCard(prepared, say ?? problemOf(task, action), facts),
    )
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID')) throw error
    return explain(path, text, `The approval card could not be added: ${error.message}.`, deps)
  }
  // The person may have saved meanwhile: then this card is out of date, and the change is on its way to us.
  if ((await deps.vault.read(path)) !== text) return
  const fileName = fileNameOf(path)
  deps.journal.present({ taskId: task.front.id, fileName, generation, digest, envelope: envelopeOf(action), at })
  await deps.vault.replace(path, rendered)
  deps.journal.shown(fileName)
  await deps.ledger.append('draft.presented', { task: task.front.id, data: { digest, generation } })
  deps.log.info(
    { task: task.front.id, path, ...(why.back && { rule: why.back.rule }) },
    'put a draft before the person',
  )
}

/** The task as the card will be built on: a presentation that is not ours does not count, an old outcome goes. */
function prepare(
  task: TaskFile,
  why: { shown: Presentation | undefined; back?: SentBack | undefined },
  now: number,
): TaskFile {
  const { back, shown } = why
  const at = new Date(back?.at ?? now).toISOString()
  const isOurs = shown !== undefined || back !== undefined
  return withFront(task, {
    ...(!isOurs && { presented: undefined }),
    ...(back && {
      generation: Math.max(task.front.generation, back.generation),
      outcome: { status: back.rule, at, reason: back.say.slice(0, 500) },
    }),
  })
}

/**
 * Whether the file carries the card that was written here. The digest of a known action can be computed by anyone; when
 * the card was made, to the millisecond, was known to nobody else before it was written.
 */
function isCardOf(shown: Presentation, task: TaskFile): boolean {
  const { presented } = task.front
  return presented?.digest === shown.digest && presented.at === new Date(shown.at).toISOString()
}

function problemOf(task: TaskFile, action: Extract<ActionVerdict, { ok: false }>): string {
  return task.front.outcome?.reason ?? sayAction(action.rule, action.problem, task)
}

function envelopeOf(action: ActionVerdict): string {
  return action.ok ? envelopeDigest(action.action) : NO_ACTION
}

/** The file keeps every byte; the explanation stands before it. */
async function explain(path: VaultPath, text: string, say: string, deps: ExecutorDeps): Promise<void> {
  const explained = withNotice(text, say)
  if (explained === text || (await deps.vault.read(path)) !== text) return
  await deps.vault.replace(path, explained)
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
  if (task.front.history.at(-1)?.state !== 'Rejected')
    await deps.vault.replace(path, renderTaskFile(withHistory(task, 'Rejected', 'person', at)))
  await deps.ledger.append('task.rejected', { task: task.front.id })
  deps.journal.withdraw(task.front.id)
  deps.metrics.count('countersign_tasks_total', { outcome: 'rejected' })
}

/** Back to the drafters with the person's notes. The tick stays in the file until the move, so that a crash repeats it. */
async function redraft(path: VaultPath, task: TaskFile, deps: ExecutorDeps): Promise<void> {
  const place = { kind: 'needs-action', domain: task.front.domain } as const
  if (!isRedraftHalfDone(task)) {
    const at = new Date(deps.clock.now()).toISOString()
    const returned = withHistory(task, `Needs_Action/${task.front.domain}`, 'person', at)
    await deps.vault.replace(path, renderTaskFile(withFront(returned, { presented: undefined, outcome: undefined })))
  }
  if ((await deps.vault.move(path, taskPath(place, fileNameOf(path)))) !== 'moved') return
  deps.journal.withdraw(task.front.id)
  await deps.ledger.append('task.redraft', { task: task.front.id })
  deps.metrics.count('countersign_tasks_total', { outcome: 'redraft' })
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
