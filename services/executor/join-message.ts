import { actionDigest, readAction } from '#core/action.ts'
import { givenBackBy, withHistory } from '#core/claim.ts'
import { CountersignError } from '#core/errors.ts'
import { THREAD_RULES } from '#core/freshness.ts'
import { isTaskId } from '#core/ids.ts'
import { withMessage } from '#core/join-message.ts'
import { oneLine, plainMarkdown } from '#core/quote.ts'
import { ifItFits, renderTaskFile, section, type TaskFile, ticksOf, withFront, withSection } from '#core/task-file.ts'
import { fileNameOf, placeOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { eachTask } from './each-task.ts'
import { askAgain } from './obey-person.ts'
import { type Found, finder } from './predecessors.ts'
import { NO_ACTION } from './present-card.ts'
import { type Read, readTask } from './read-task.ts'

/** A message that waits in this agent's folder to join the task that it belongs to. */
interface Waiting {
  readonly path: VaultPath
  readonly text: string
  readonly task: TaskFile
}

interface Thread {
  readonly path: string
  readonly joins: string
  /** In the order in which they came. */
  readonly waiting: readonly Waiting[]
}

/**
 * Puts messages that came for a task which the cloud may not touch any more into it. While it waits for the person it
 * gets them and goes back to be drafted anew; while it is with somebody else they wait; once it is done, rejected or gone,
 * they become an ordinary task. Each step can be made again: a message is in a task or it is not.
 */
export async function joinMessages(deps: ExecutorDeps): Promise<Held[]> {
  const found: Waiting[] = []
  for (const path of await deps.vault.list(`In_Progress/${deps.agent}`)) {
    const read = await readTask(path, deps)
    if (read.kind === 'read' && read.parsed.ok) found.push({ path, text: read.text, task: read.parsed.task })
  }
  const released = found.filter(({ task }) => isReleased(task, deps))
  const held = await eachTask(released, deps, ({ path, task }) => release(path, task, deps))
  const waiting = inOrder(found.filter((one) => one.task.front.joins !== undefined && !released.includes(one)))
  if (waiting.length === 0) return held
  const byTask = Map.groupBy(waiting, ({ task }) => task.front.joins ?? '')
  const threads = [...byTask].map(([joins, of]) => ({ path: of[0]?.path ?? '', joins, waiting: of }))
  const find = finder(deps.vault)
  return [...held, ...(await eachTask(threads, deps, (thread) => joinThread(thread, find, deps)))]
}

async function joinThread(
  { joins, waiting: all }: Thread,
  find: ReturnType<typeof finder>,
  deps: ExecutorDeps,
): Promise<undefined> {
  const joined = all.filter(({ task }) => isJoined(task))
  for (const { path } of joined) await putAway(path, deps)
  const nameless = all.filter(({ task }) => !task.front.source?.messages?.length)
  for (const one of nameless) await becomeTask([one], deps)
  const waiting = all.filter((one) => !joined.includes(one) && !nameless.includes(one))
  if (waiting.length === 0) return
  const named = isTaskId(joins) ? await find(joins) : undefined
  const target = named && isOpen(named.path) ? named : await openOfThread(waiting, deps)
  if (!target) return becomeTask(waiting, deps)
  if (missing(target.task, waiting).length === 0 && !isOnItsWay(target)) return finish(waiting, target.task, deps)
  if (placeOf(target.path).kind !== 'pending') return
  await deps.inHand.take(target.task.front.id, async () => {
    const { kind } = await addTo(target.path, waiting, deps)
    if (kind === 'joined') await finish(waiting, target.task, deps)
    if (kind === 'no-room') await becomeTask(waiting, deps)
  })
}

/** Adds the messages to a task that waits for the person, if they are not deciding on it just now. */
async function addTo(
  path: VaultPath,
  waiting: readonly Waiting[],
  deps: ExecutorDeps,
): Promise<{ kind: 'joined' | 'waits' | 'no-room' }> {
  const read = await readTask(path, deps)
  if (read.kind !== 'read' || !read.parsed.ok) return { kind: 'waits' }
  const { task } = read.parsed
  const { id, generation } = task.front
  const isDecided = ticksOf(task).length > 0 || deps.journal.freezeOf(id) !== undefined
  // Why it came back is told first: the card that says so may ask, too, what became of it.
  const isUntold = deps.journal.sentBack(fileNameOf(path)) !== undefined
  if (isDecided || isUntold || deps.journal.useOf(id, generation) === 'unknown') return { kind: 'waits' }
  if (!deps.isQuiet(path, read.text)) return { kind: 'waits' }
  try {
    const joined = waiting.reduce((one, { task: message }) => withMessage(one, message) ?? one, task)
    if (joined === task && isOnItsWay({ path, task })) return await sendOn(path, task, deps)
    return await (isPersonsDraft(task, deps)
      ? showAgain(path, read, joined, waiting, deps)
      : redraft(path, read, joined, waiting, deps))
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID') return { kind: 'no-room' }
    throw error
  }
}

/** Back to the drafters with the messages and a note; what was shown of it counts no more. */
async function redraft(path: VaultPath, read: Read, joined: TaskFile, waiting: readonly Waiting[], deps: ExecutorDeps) {
  const at = new Date(deps.clock.now()).toISOString()
  const notes = [section(joined, 'notes')?.trim() ?? '', noteOf(waiting)].filter((one) => one !== '').join('\n')
  const cleared = withFront(withSection(joined, 'notes', notes), { presented: undefined, outcome: undefined })
  const returned = withHistory(cleared, `Needs_Action/${joined.front.domain}`, deps.agent, at)
  if ((await deps.vault.replaceIf(path, read.text, renderTaskFile(returned))) !== 'replaced')
    return { kind: 'waits' } as const
  return sendOn(path, returned, deps)
}

async function sendOn(path: VaultPath, task: TaskFile, deps: ExecutorDeps) {
  const target = taskPath({ kind: 'needs-action', domain: task.front.domain }, fileNameOf(path))
  if ((await deps.vault.move(path, target)) !== 'moved') return { kind: 'waits' } as const
  await askAgain(task.front.id, target, deps)
  deps.journal.withdraw(task.front.id)
  return { kind: 'joined' } as const
}

/** The person has worked on this draft: it stays theirs, and the next card says what has come. */
async function showAgain(
  path: VaultPath,
  read: Read,
  joined: TaskFile,
  waiting: readonly Waiting[],
  deps: ExecutorDeps,
) {
  const { id: taskId, generation } = joined.front
  const say = `${sendersOf(waiting)} wrote again in this thread while you were working on this draft. Read that first; then approve, or tick Redraft.`
  const back = { fileName: fileNameOf(path), taskId, rule: THREAD_RULES.newer, say, generation, at: deps.clock.now() }
  deps.journal.sendBack(back)
  const written = await deps.vault.replaceIf(path, read.text, renderTaskFile(joined))
  return { kind: written === 'replaced' ? 'joined' : 'waits' } as const
}

/** The messages were put in, and it died before the file was moved. */
function isOnItsWay({ path, task }: Found): boolean {
  const last = task.front.history.at(-1)
  return placeOf(path).kind === 'pending' && last?.state.startsWith('Needs_Action/') === true && last.agent !== 'person'
}

/** Whether what would go out is not any more what the drafter wrote, with or without a new card. */
function isPersonsDraft(task: TaskFile, deps: ExecutorDeps): boolean {
  const shown = deps.journal.presentation(task.front.id)
  const action = readAction(task)
  if (shown === undefined) return false
  const memory = deps.journal.draftMemory(task.front.id)
  const isEdited = memory !== undefined && memory.shown !== memory.drafted
  return isEdited || shown.digest !== (action.ok ? actionDigest(action.action) : NO_ACTION)
}

function isOpen(path: VaultPath): boolean {
  return !['done', 'rejected'].includes(placeOf(path).kind)
}

function missing(target: TaskFile, waiting: readonly Waiting[]): Waiting[] {
  // What does not fit stands not in it either.
  return waiting.filter(({ task }) => ifItFits(() => withMessage(target, task) !== undefined) ?? true)
}

/** A later task of the same thread, when the one that was named is over. */
async function openOfThread(waiting: readonly Waiting[], { vault }: ExecutorDeps): Promise<Found | undefined> {
  const source = waiting[0]?.task.front.source
  const folders = (await vault.taskFolders()).filter((one) => !/^(Done|Rejected)\b/.test(one))
  for (const folder of folders) {
    for (const path of await vault.list(folder)) {
      const parsed = await readPlain(path, vault)
      const { joins, source: other } = parsed?.front ?? {}
      const isSame = other?.thread_id === source?.thread_id && other?.account === source?.account
      if (parsed && joins === undefined && source?.thread_id !== undefined && isSame) return { path, task: parsed }
    }
  }
  return undefined
}

async function readPlain(path: VaultPath, vault: ExecutorDeps['vault']): Promise<TaskFile | undefined> {
  const read = await readTask(path, { vault, received: { count: () => 0 } })
  return read.kind === 'read' && read.parsed.ok ? read.parsed.task : undefined
}

/** The first becomes an ordinary task with the others in it. */
async function becomeTask(waiting: readonly Waiting[], deps: ExecutorDeps): Promise<undefined> {
  const [first, ...others] = waiting
  if (!first) return
  const at = new Date(deps.clock.now()).toISOString()
  const whole = others.reduce((one, { task }) => withMessage(one, task) ?? one, first.task)
  const released = withFront(givenBackBy(whole, deps.agent, at), { joins: undefined })
  // The others last: until then they find this one, by what it says or by its thread.
  if ((await deps.vault.replaceIf(first.path, first.text, renderTaskFile(released))) !== 'replaced') return
  await finish(others, released, deps)
  await release(first.path, released, deps)
}

async function release(path: VaultPath, { front }: TaskFile, deps: ExecutorDeps): Promise<undefined> {
  await deps.ledger.append('task.given-back', { task: front.id, data: { generation: front.generation } })
  await deps.vault.move(path, taskPath({ kind: 'needs-action', domain: front.domain }, fileNameOf(path)))
}

/** Written to be given back, and it died before the file was moved. */
function isReleased({ front }: TaskFile, { agent }: ExecutorDeps): boolean {
  const last = front.history.at(-1)
  return front.joins === undefined && last?.agent === agent && last.state === `Needs_Action/${front.domain}`
}

async function finish(waiting: readonly Waiting[], target: TaskFile, deps: ExecutorDeps): Promise<undefined> {
  for (const { path, text, task } of waiting) {
    const at = new Date(deps.clock.now()).toISOString()
    const outcome = { status: JOINED, at, reason: `joined ${target.front.id}` }
    const done = withHistory(withFront(task, { outcome }), `Done/${at.slice(0, 7)}`, deps.agent, at)
    await deps.ledger.append('task.joined', { task: target.front.id, data: { by: task.front.id } })
    if ((await deps.vault.replaceIf(path, text, renderTaskFile(done))) !== 'replaced') continue
    await putAway(path, deps)
    deps.log.info({ task: target.front.id, path }, 'a message joined its thread')
  }
}

const JOINED = 'joined'

function isJoined({ front }: TaskFile): boolean {
  return front.outcome?.status === JOINED
}

async function putAway(path: VaultPath, deps: ExecutorDeps): Promise<void> {
  const month = new Date(deps.clock.now()).toISOString().slice(0, 7)
  await deps.vault.move(path, taskPath({ kind: 'done', month }, fileNameOf(path)))
}

/** None of a stranger's words: notes are the person's, and drafters do as they say. */
function noteOf({ length }: readonly Waiting[]): string {
  return length === 1
    ? 'A new message has come in this thread; answer it, too.'
    : `${length} new messages have come in this thread; answer them, too.`
}

function sendersOf(waiting: readonly Waiting[]): string {
  const names = [...new Set(waiting.map(({ task }) => oneLine(task.front.source?.from ?? 'somebody', 120)))]
  return plainMarkdown(names.length > 3 ? `${names.slice(0, 3).join(', ')} and others` : names.join(', '), 400)
}

function inOrder(waiting: readonly Waiting[]): Waiting[] {
  const key = ({ task }: Waiting) => `${task.front.source?.messages?.[0] ?? ''} ${task.front.id}`
  return waiting.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}
