import { beforeEach, expect, it } from 'vitest'
import type { TaskId } from '#core/ids.ts'
import { makeSyncWorld, type SyncWorld, synced, taskText } from '#tests/support/sync-world.ts'

const TASK = '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' as TaskId
const FULL = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const OTHER = 'EMAIL_2026-11-20_re-invoice-for-march_8j4m2r.md'
const OTHER_ID = '01K9ZZZZZZZZZZZZZZZZ8J4M2R'

let world: SyncWorld
beforeEach(() => {
  world = makeSyncWorld()
})

/** Its front matter is read, and has no room for one more line. */
function full(generation = 0): string {
  const front = (more: string) => taskText({ generation, more }).split('---\n')[1] ?? ''
  return taskText({ generation, more: `note: ${'x'.repeat(16 * 1024 - front('note: \n').length)}\n` })
}

it('a task whose file is full stays open, and the others are claimed', async () => {
  const { files } = world.cloud
  files.put(`Needs_Action/email/${FULL}`, full())
  files.put(`Needs_Action/email/${OTHER}`, taskText({ id: OTHER_ID }))
  await synced(world.cloud)
  expect(files.text(`In_Progress/cloud/${OTHER}`)).toMatch(/generation: 1/)
  expect(files.text(`Needs_Action/email/${FULL}`)).toBe(full())
  await synced(world.cloud)
  expect(await synced(world.cloud)).toMatchObject({ pushed: false })
})

it('it is refused to whoever asks for it, or wants to give it back', async () => {
  const { files, requests } = world.local
  files.put(`Needs_Action/email/${FULL}`, full())
  const about = { task: TASK, file: FULL }
  requests.ask({ kind: 'claim', id: '1'.repeat(32), ...about })
  await synced(world.local)
  expect(requests.answers).toEqual([['1'.repeat(32), expect.objectContaining({ rule: 'task-file-full' })]])
  files.put(`Needs_Action/email/${FULL}`, taskText())
  requests.ask({ kind: 'claim', id: '2'.repeat(32), ...about })
  await synced(world.local)
  files.put(`In_Progress/local/${FULL}`, full(1))
  await synced(world.local)
  requests.ask({ kind: 'give-back', id: '3'.repeat(32), ...about, holder: 'local', generation: 1 })
  await synced(world.local)
  expect(requests.answers.at(-1)).toEqual([
    '3'.repeat(32),
    expect.objectContaining({ kind: 'refused', rule: 'task-file-full' }),
  ])
})

it('it keeps no other waiting while the hub is away', async () => {
  const { files, requests } = world.cloud
  world.local.files.put('Plans/trip.md', 'a plan')
  for (const zone of [world.local, world.cloud, world.cloud]) await synced(zone)
  world.hub.isOffline = true
  files.put(`Needs_Action/email/${FULL}`, full())
  files.put(`Needs_Action/email/${OTHER}`, taskText({ id: OTHER_ID }))
  expect(await world.cloud.sync()).toMatchObject({ kind: 'unreachable' })
  expect(files.text(`In_Progress/cloud/${OTHER}`)).toMatch(/generation: 1/)
  files.put(`In_Progress/cloud/${OTHER}`, full(1).replace(TASK, OTHER_ID))
  const about = { task: OTHER_ID as TaskId, file: OTHER, holder: 'cloud', generation: 1 }
  requests.ask({ kind: 'give-back', id: '4'.repeat(32), ...about })
  expect(await world.cloud.sync()).toMatchObject({ kind: 'unreachable' })
  expect(requests.answers).toContainEqual(['4'.repeat(32), expect.objectContaining({ rule: 'task-file-full' })])
})
