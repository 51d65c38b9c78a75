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

/** What became of the tasks that must be done before this one. Costs nothing for a task that waits for none. */
export async function predecessorsOf(task: TaskFile, deps: Deps): Promise<Predecessor[]> {
  const { id, after = [] } = task.front
  return Promise.all([...new Set(after)].map(async (one) => ({ id: one, state: await stateOf(one, id, deps) })))
}

async function stateOf(wanted: string, waiting: TaskId, deps: Deps): Promise<Predecessor['state']> {
  if (wanted === waiting) return 'circle'
  if (!isTaskId(wanted)) return 'gone'
  if (deps.journal.lastIntentOf(wanted)?.state === 'done') return 'done'
  const found = await find(wanted, deps)
  if (!found) return 'gone'
  const { path, task } = found
  if (path.startsWith('Done/')) return task.front.outcome?.status === 'done' ? 'done' : 'ended'
  if (path.startsWith('Rejected/')) return 'ended'
  return (await leadsTo(waiting, task, deps)) ? 'circle' : 'waiting'
}

/** Whether a task waits, by whatever way, for another one. */
async function leadsTo(target: TaskId, start: TaskFile, deps: Deps): Promise<boolean> {
  const looked = new Set<string>()
  const open = [...(start.front.after ?? [])]
  for (let next = open.pop(); next !== undefined && looked.size < MAX_LOOKED_AT; next = open.pop()) {
    if (next === target) return true
    if (looked.has(next) || !isTaskId(next)) continue
    looked.add(next)
    open.push(...((await find(next, deps))?.task.front.after ?? []))
  }
  return false
}

/** Where a task stands, by its id. A file that moves on while the folders are looked through is found in the next look. */
async function find(id: TaskId, deps: Deps): Promise<{ path: VaultPath; task: TaskFile } | undefined> {
  const ending = `_${shortId(id)}.md`
  for (let look = 0; look < LOOKS; look++) {
    for (const folder of (await deps.vault.taskFolders()).filter((one) => mayHold(one, id))) {
      for (const path of await deps.vault.list(folder)) {
        if (!path.endsWith(ending)) continue
        const parsed = parseTaskFile((await deps.vault.read(path).catch(() => undefined)) ?? '')
        if (parsed.ok && parsed.task.front.id === id) return { path, task: parsed.task }
      }
    }
  }
  return undefined
}

/** Of Done only the months since the task was made. */
function mayHold(folder: string, id: TaskId): boolean {
  return !folder.startsWith('Done/') || folder.slice(5) >= new Date(madeAt(id) - DAY_MS).toISOString().slice(0, 7)
}

/** When an id was made, ms: its first ten signs (Crockford base 32). */
function madeAt(id: TaskId): number {
  return [...id.slice(0, 10)].reduce((value, sign) => value * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(sign), 0)
}
