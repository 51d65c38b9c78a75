import { CountersignError } from '#core/errors.ts'
import { shortId, type TaskId } from '#core/ids.ts'
import type { LedgerEntry } from '#core/ledger.ts'
import { findTask } from './tasks.ts'
import type { ZoneHome } from './zone-home.ts'

/**
 * The id of the task that is meant. It may be long gone from the vault: the ledgers are asked first. Throws
 * ERR_TASK_NOT_FOUND, ERR_USAGE, ERR_TASK_FILE_INVALID.
 */
export async function taskInLedgers(
  reference: string,
  ledgers: readonly (readonly LedgerEntry[])[],
  home: ZoneHome,
): Promise<string> {
  const wanted = reference.trim().toLowerCase()
  const named = new Set(ledgers.flat().flatMap(({ task }) => (task === undefined ? [] : [task])))
  const [first, ...others] = [...named].filter(
    (task) => task.toLowerCase() === wanted || shortId(task as TaskId) === wanted,
  )
  if (others.length > 0)
    throw new CountersignError('ERR_USAGE', `task ${reference}: ${others.length + 1} tasks match; say the whole id`)
  if (first !== undefined) return first
  const { path, task } = await findTask(home, reference)
  if (task) return task.front.id
  throw new CountersignError('ERR_TASK_FILE_INVALID', `looking for the life of ${path}: the file says no id`)
}
