import { CountersignError } from '#core/errors.ts'
import type { TaskId } from '#core/ids.ts'
import { withMessage } from '#core/join-message.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { KnownTask, ThreadMemory } from '#core/ports/thread-memory.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { parseTaskFile, renderTaskFile, type TaskFile, withFront } from '#core/task-file.ts'
import { placeOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import { isLocalOnly } from '#core/zone-policy.ts'
import type { ArrivingTask } from './arriving-task.ts'

export interface PlaceDeps {
  readonly vault: VaultPort
  readonly threads: ThreadMemory
  readonly clock: Clock
  readonly account: string
  /** This agent: what it has claimed it may add to. */
  readonly agent: string
  /** The agent of the local zone, which puts into a task what the cloud may not touch any more. */
  readonly localAgent: () => Promise<string>
}

/** `joined`: into the open task of its thread, or on the way there. */
export interface Placed {
  readonly kind: 'task' | 'joined'
  readonly taskId: TaskId
  /** The file that it stands in, which is not the task's while it waits to join it. */
  readonly file: KnownTask
}

/** Each failure means that somebody else has just changed the file. */
const MAX_TRIES = 20
const DONE_KEPT_MS = 62 * 86_400_000

/**
 * Puts a message into the open task of its thread, or makes one of it. What nobody has drafted yet is added to in place;
 * what is before the person or theirs already gets the message through a file of its own, kept for the local agent.
 * Doing it again changes nothing: the message is found in its task, or under its file name.
 */
export async function placeMessage(arriving: ArrivingTask, thread: string, deps: PlaceDeps): Promise<Placed> {
  const own = { taskId: arriving.task.front.id, fileName: arriving.fileName }
  const standing = await readStanding(arriving.fileName, deps)
  if (standing) {
    const joins = standing.task?.front.joins as TaskId | undefined
    return { kind: joins ? 'joined' : 'task', taskId: joins ?? own.taskId, file: own }
  }
  for (let tries = 0; ; tries++) {
    const open = isLocalOnly(arriving.task.front.domain) ? undefined : await openTaskOf(thread, deps)
    if (!open) return create(arriving.task, own, deps)
    if (open.found && isAtHand(open.found, deps) && tries < MAX_TRIES) {
      const outcome = await addTo(open.found, arriving.task, deps)
      if (outcome === 'joined') return { kind: 'joined', taskId: open.taskId, file: open.found.known }
      if (outcome === 'no-room') return create(arriving.task, own, deps)
      continue
    }
    const kept = withFront(arriving.task, { joins: open.taskId, for: await deps.localAgent() })
    return create(kept, own, deps)
  }
}

async function create(task: TaskFile, file: KnownTask, { vault }: PlaceDeps): Promise<Placed> {
  const { domain, joins } = task.front
  await vault.create(taskPath({ kind: 'needs-action', domain }, file.fileName), renderTaskFile(task))
  return { kind: joins ? 'joined' : 'task', taskId: (joins as TaskId | undefined) ?? file.taskId, file }
}

interface Found {
  readonly path: VaultPath
  readonly known: KnownTask
  readonly text: string
  readonly task: TaskFile
}

/**
 * The task of the thread that is not done or rejected. Without `found`: there was one, and a message that waits to join
 * it still does; the local agent knows what became of it.
 */
async function openTaskOf(
  thread: string,
  deps: PlaceDeps,
): Promise<{ readonly taskId: TaskId; readonly found?: Found } | undefined> {
  let joining: TaskId | undefined
  for (const known of deps.threads.tasksOf(deps.account, thread)) {
    const found = await findOpen(known, deps)
    if (!found) continue
    const { id, joins } = found.task.front
    if (joins === undefined) return { taskId: id, found }
    joining ??= joins as TaskId
  }
  return joining && { taskId: joining }
}

async function findOpen(known: KnownTask, deps: PlaceDeps): Promise<Found | undefined> {
  const standing = await readStanding(known.fileName, deps)
  // What a person broke is nobody's work, and one of the local zone alone takes no message of the cloud.
  if (!standing?.task || standing.task.front.id !== known.taskId || isLocalOnly(standing.task.front.domain))
    return undefined
  return ['done', 'rejected'].includes(placeOf(standing.path).kind)
    ? undefined
    : { path: standing.path, text: standing.text, task: standing.task, known }
}

/** A file by its name, wherever it stands and whoever is moving it. `task` is unset where it cannot be read as one. */
async function readStanding(
  fileName: string,
  { vault }: PlaceDeps,
): Promise<{ readonly path: VaultPath; readonly text: string; readonly task: TaskFile | undefined } | undefined> {
  for (;;) {
    const path = await vault.find(fileName)
    if (path === undefined) return undefined
    const text = await vault.read(path).catch(() => '')
    if (text === undefined) continue
    const parsed = parseTaskFile(text)
    return { path, text, task: parsed.ok ? parsed.task : undefined }
  }
}

/** Whether nobody has drafted it yet: open, or claimed by this agent and not handed in (`handIn` writes that first). */
function isAtHand({ path, task }: Found, { agent }: PlaceDeps): boolean {
  const place = placeOf(path)
  if (place.kind === 'needs-action') return true
  const isHandedIn = task.front.history.at(-1)?.state.startsWith('Pending_Approval/') ?? false
  return place.kind === 'in-progress' && place.agent === agent && !isHandedIn
}

async function addTo(found: Found, message: TaskFile, { vault }: PlaceDeps): Promise<'joined' | 'again' | 'no-room'> {
  try {
    const joined = withMessage(found.task, message)
    if (!joined) return 'joined'
    return (await vault.replaceIf(found.path, found.text, renderTaskFile(joined))) === 'replaced' ? 'joined' : 'again'
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID') return 'no-room'
    throw error
  }
}

/** What a lost memory is made anew from: every task file that may still be written in or may just have been done. */
export async function rememberVault({ vault, threads, clock }: PlaceDeps): Promise<void> {
  if (threads.isComplete()) return
  const since = new Date(clock.now() - DONE_KEPT_MS).toISOString().slice(0, 7)
  for (const folder of await vault.taskFolders()) {
    if (folder.startsWith('Done/') && folder.slice('Done/'.length) < since) continue
    for (const path of await vault.list(folder)) {
      const parsed = parseTaskFile((await vault.read(path).catch(() => undefined)) ?? '')
      const source = parsed.ok ? parsed.task.front.source : undefined
      if (!parsed.ok || source?.account === undefined || source.thread_id === undefined) continue
      const { id: taskId, created } = parsed.task.front
      const ids = [source.thread_id, ...(source.references ?? []), ...(source.message_id ? [source.message_id] : [])]
      const task = { taskId, fileName: path.slice(path.lastIndexOf('/') + 1) }
      threads.remember(source.account, source.thread_id, ids, task, Date.parse(created))
    }
  }
  threads.setComplete()
}
