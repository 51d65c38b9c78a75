import { CountersignError } from '#core/errors.ts'
import type { ExecutorDeps, Held, Stay } from './deps.ts'

/** Without its journal, or overtaken by a newer executor, the process must not go on at all. */
const FATAL: readonly string[] = ['ERR_FENCED', 'ERR_JOURNAL_FAILED']

/**
 * One step per item; a failing one is logged, held and does not keep the others waiting. `step` gives back why the item
 * stands still, or undefined.
 */
export async function eachTask<T extends { readonly path: string }>(
  items: readonly T[],
  deps: Pick<ExecutorDeps, 'log'>,
  step: (item: T) => Promise<Stay | string | undefined>,
): Promise<Held[]> {
  const held: Held[] = []
  for (const item of items) {
    try {
      const stay = await step(item)
      if (stay !== undefined) held.push({ path: item.path, ...(typeof stay === 'string' ? { say: stay } : stay) })
    } catch (error) {
      const ours = error instanceof CountersignError ? error : undefined
      if (ours && FATAL.includes(ours.code)) throw error
      deps.log.error({ path: item.path, err: error }, 'could not go on with a task; will try again')
      held.push({
        path: item.path,
        say: ours ? `${ours.message}. ${ours.hint}` : 'A fault of the program; see its log.',
      })
    }
  }
  return held
}

export function asItems<P extends string>(paths: readonly P[]): { path: P }[] {
  return paths.map((path) => ({ path }))
}
