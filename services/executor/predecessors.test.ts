import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTaskId } from '#core/ids.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { type Executor, type ExecutorHome, makeDraft, makeHome, START } from '#tests/support/executor.ts'
import { predecessorsOf } from './predecessors.ts'

let home: ExecutorHome
let executor: Executor
beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

test('long chains of tasks cost one look at each folder, and one more for what is not found', async () => {
  const ids = Array.from({ length: 30 }, (_, number) => makeTaskId(START, new Uint8Array(10).fill(number + 100)))
  const gone = makeTaskId(START, new Uint8Array(10).fill(200))
  for (const [at, id] of ids.entries())
    await home.put('Pending_Approval/email', {
      id,
      after: [gone, ...ids.filter((_, other) => other > at)].slice(0, 20),
    })
  const parsed = parseTaskFile(makeDraft({ after: ids.slice(0, 20) }).text)
  if (!parsed.ok) throw new Error(parsed.problem)
  const lists: string[] = []
  const vault = {
    ...home.vault,
    list(folder: string) {
      lists.push(folder)
      return home.vault.list(folder)
    },
  }
  const states = await predecessorsOf(parsed.task, { vault, journal: executor.deps.journal })
  expect(states.map(({ state }) => state)).toEqual(Array.from({ length: 20 }, () => 'waiting'))
  const most = Math.max(...[...Map.groupBy(lists, (folder) => folder).values()].map((each) => each.length))
  expect(most).toBeLessThanOrEqual(2)
})
