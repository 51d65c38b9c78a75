import { isTaskId, shortId, type TaskId } from '#core/ids.ts'
import { parseTaskFile, type TaskFile } from '#core/task-file.ts'
import type { Predecessor } from '#core/timing.ts'
import type { VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'

/** More than any honest chain of tasks; what lies further off is not looked at. */
const MAX_LOOKED_AT = 200
const LOOKS = 2
const DAY_MS = 86_400_000

type Deps = Pick<ExecutorDeps, 'vault' | 'journal'>

export interface Found {
  readonly path: VaultPath
  readonly task: TaskFile
}
type Finder = (id: TaskId) => Promise<Found | undefined>

/** What became of the tasks that must be done before this one. Costs nothing for a task that waits for none. */
export async function predecessorsOf(task: TaskFile, deps: Deps): Promise<Predecessor[]> {
  const { id, after = [] } = task.front
  const find = finder(deps.vault)
  return Promise.all([...new Set(after)].map(async (one) => ({ id: one, state: await stateOf(one, id, find, deps) })))
}

async function stateOf(wanted: string, waiting: TaskId, find: Finder, deps: Deps): Promise<Predecessor['state']> {
  if (wanted === waiting) return 'circle'
  if (!isTaskId(wanted)) return 'gone'
  if (deps.journal.lastIntentOf(wanted)?.state === 'done') return 'done'
  const found = await find(wanted)
  if (!found) return 'gone'
  const { path, task } = found
  if (path.startsWith('Done/')) return task.front.outcome?.status === 'done' ? 'done' : 'ended'
  if (path.startsWith('Rejected/')) return 'ended'
  return (await leadsTo(waiting, task, find)) ? 'circle' : 'waiting'
}

/** Whether a task waits, by whatever way, for another one. */
async function leadsTo(target: TaskId, start: TaskFile, find: Finder): Promise<boolean> {
  const looked = new Set<string>()
  const open = [...(start.front.after ?? [])]
  for (let next = open.pop(); next !== undefined && looked.size < MAX_LOOKED_AT; next = open.pop()) {
    if (next === target) return true
    if (looked.has(next) || !isTaskId(next)) continue
    looked.add(next)
    open.push(...((await find(next))?.task.front.after ?? []))
  }
  return false
}

/**
 * Where a task stands, by its id. Each folder is listed once for all of them, since others may have written long chains;
 * a file that moves on while the folders are looked through is found in the next look.
 */
export function finder(vault: Deps['vault']): Finder {
  const looks = Array.from({ length: LOOKS }, () => ({
    folders: once(() => vault.taskFolders()),
    list: onceEach((folder: string) => vault.list(folder)),
  }))
  return onceEach(async (id: TaskId) => {
    const ending = `_${shortId(id)}.md`
    for (const { folders, list } of looks) {
      for (const folder of (await folders()).filter((one) => mayHold(one, id))) {
        for (const path of await list(folder)) {
          if (!path.endsWith(ending)) continue
          const parsed = parseTaskFile((await vault.read(path).catch(() => undefined)) ?? '')
          if (parsed.ok && parsed.task.front.id === id) return { path, task: parsed.task }
        }
      }
    }
    return undefined
  })
}

function onceEach<K, T>(make: (key: K) => Promise<T>): (key: K) => Promise<T> {
  const made = new Map<K, Promise<T>>()
  return (key) => {
    const known = made.get(key) ?? make(key)
    made.set(key, known)
    return known
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  const only = onceEach<undefined, T>(make)
  return () => only(undefined)
}

/** Of Done only the months since the task was made. */
function mayHold(folder: string, id: TaskId): boolean {
  return !folder.startsWith('Done/') || folder.slice(5) >= new Date(madeAt(id) - DAY_MS).toISOString().slice(0, 7)
}

/** When an id was made, ms: its first ten signs (Crockford base 32). */
function madeAt(id: TaskId): number {
  return [...id.slice(0, 10)].reduce((value, sign) => value * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(sign), 0)
}
