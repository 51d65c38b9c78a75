import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { CountersignError, messageOf } from '#core/errors.ts'
import { shortId } from '#core/ids.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { parseTaskFile, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { canMove } from '#core/task-state.ts'
import {
  DOMAINS,
  fileNameOf,
  folderOf,
  isTaskPlace,
  placeOf,
  type TaskPlace,
  taskPath,
  type VaultPath,
} from '#core/vault-path.ts'
import { decideZone } from '#core/zone-policy.ts'
import type { ZoneHome } from './zone-home.ts'

/** A task where it stands now. `task` is undefined when a person or a program broke the file. */
export type FoundTask = {
  readonly path: VaultPath
  readonly place: TaskPlace
  readonly task: TaskFile | undefined
  readonly problem?: string
}

/** Every task of the vault, in the order of a task's life; finished ones only when asked for. */
export async function listTasks(home: ZoneHome, options: { withDone: boolean }): Promise<FoundTask[]> {
  const vault = await openVault(home.vault)
  const found: FoundTask[] = []
  for (const folder of await taskFolders(home.vault, options.withDone)) {
    for (const path of await vault.list(folder)) {
      const place = placeOf(path)
      if (isTaskPlace(place)) found.push(await readTask(vault, path, place))
    }
  }
  return found
}

/** `pickTask` among all tasks of the vault. */
export async function findTask(home: ZoneHome, reference: string): Promise<FoundTask> {
  return pickTask(await listTasks(home, { withDone: true }), reference, home)
}

/** Shorter ones would fit what nobody meant. */
const MIN_PREFIX = 3

/**
 * The one task that `reference` means: an id, the last six characters of one, a file name, or else the beginning of one
 * of these that fits no other task. Throws ERR_TASK_NOT_FOUND, ERR_USAGE.
 */
export function pickTask(tasks: readonly FoundTask[], reference: string, home: ZoneHome): FoundTask {
  const wanted = reference.trim().toLowerCase()
  const exact = tasks.filter((one) => namesOf(one).includes(wanted))
  const begun =
    wanted.length < MIN_PREFIX ? [] : tasks.filter((one) => namesOf(one).some((name) => name.startsWith(wanted)))
  const matches = exact.length > 0 ? exact : begun
  const [first, ...others] = matches
  if (!first)
    throw new CountersignError('ERR_TASK_NOT_FOUND', `looked for task ${reference} in ${home.vault}: no such task`)
  if (others.length > 0)
    throw new CountersignError('ERR_USAGE', `task ${reference}: ${matches.length} tasks match; say the whole file name`)
  return first
}

/** All that a task is called, in lower case. The last part of its file name stands there also when nobody can read the file. */
function namesOf({ path, task }: FoundTask): string[] {
  const name = fileNameOf(path).toLowerCase().replace(/\.md$/, '')
  const short = name.slice(name.lastIndexOf('_') + 1)
  return [
    short,
    name,
    `${name}.md`,
    path.toLowerCase(),
    ...(task ? [task.front.id.toLowerCase(), shortId(task.front.id)] : []),
  ]
}

/** Moves a task as the person may. Throws ERR_ZONE_FORBIDDEN in the cloud, ERR_TASK_STATE when it does not stand where that is possible. */
export async function moveAsPerson(home: ZoneHome, found: FoundTask, to: TaskPlace): Promise<VaultPath> {
  requireDecision(home, found)
  if (!canMove(found.place, to, 'person') || folderOf(found.place) === folderOf(to))
    throw new CountersignError(
      'ERR_TASK_STATE',
      `moving ${found.path} to ${folderOf(to)}/: not possible from where it stands`,
    )
  const target = taskPath(to, fileNameOf(found.path))
  const outcome = await (await openVault(home.vault)).move(found.path, target)
  if (outcome === 'moved') return target
  throw new CountersignError(
    'ERR_TASK_STATE',
    `moving ${found.path} to ${target}: ${outcome === 'gone' ? 'it moved away meanwhile' : 'a file of that name is there'}`,
  )
}

/**
 * Writes a task's file anew if it still says what was read; what an editor changes unasked (Windows line ends, a byte order
 * mark) is no change. False when somebody saved something else meanwhile.
 */
export async function rewriteTask(
  vault: Pick<VaultPort, 'read' | 'replaceIf'>,
  path: VaultPath,
  task: TaskFile,
  changed: TaskFile,
): Promise<boolean> {
  const text = (await vault.read(path)) ?? ''
  const now = parseTaskFile(text)
  if (!now.ok || renderTaskFile(now.task) !== renderTaskFile(task)) return false
  return (await vault.replaceIf(path, text, renderTaskFile(changed))) === 'replaced'
}

/** Decisions are made in the local zone only. */
export function requireDecision(home: ZoneHome, found: FoundTask): void {
  const domain = found.task?.front.domain ?? 'general'
  const decision = decideZone(home.zone, domain, 'approve')
  if (!decision.allow)
    throw new CountersignError(
      'ERR_ZONE_FORBIDDEN',
      `deciding on ${found.path} in the ${home.zone} zone: ${decision.rule}`,
    )
}

async function readTask(vault: VaultPort, path: VaultPath, place: TaskPlace): Promise<FoundTask> {
  try {
    const parsed = parseTaskFile((await vault.read(path)) ?? '')
    return parsed.ok ? { path, place, task: parsed.task } : { path, place, task: undefined, problem: parsed.problem }
  } catch (error) {
    return { path, place, task: undefined, problem: messageOf(error) }
  }
}

async function taskFolders(vaultRoot: string, withDone: boolean): Promise<string[]> {
  const below = async (folder: string) =>
    (await readdir(join(vaultRoot, folder)).catch(() => [])).sort().map((name) => `${folder}/${name}`)
  return [
    ...DOMAINS.map((domain) => `Needs_Action/${domain}`),
    ...(await below('In_Progress')),
    ...DOMAINS.map((domain) => `Pending_Approval/${domain}`),
    'Approved',
    'Rejected',
    ...(withDone ? await below('Done') : []),
  ]
}
