import { beforeEach, expect, it } from 'vitest'
import type { TaskId } from '#core/ids.ts'
import { isConflictCopy } from '#core/vault-path.ts'
import { makeSyncWorld, quiesce, type SyncWorld, synced, taskText } from '#tests/support/sync-world.ts'

const NEEDS = 'Needs_Action/email/EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const CLAIMED = NEEDS.replace('Needs_Action/email', 'In_Progress/cloud')
let world: SyncWorld
beforeEach(() => {
  world = makeSyncWorld()
})
const edit = () => taskText({ body: 'text\n\na second message' })
const copies = () => [...world.cloud.files.files().keys()].filter(isConflictCopy)

/** The cloud claims what local has put down, and somebody writes into the open file when its push has landed. */
async function writtenMeanwhile(text: string, point = 'landed') {
  world.cloud.files.put(NEEDS, taskText())
  world.at = (agent, at) => {
    if (agent === 'cloud' && at === point && world.cloud.files.text(NEEDS) !== undefined)
      world.cloud.files.put(NEEDS, text)
  }
  await synced(world.cloud)
  world.at = () => {}
  await quiesce(world)
}

it.each(['landed', 'scanned', 'applying'])(
  'a message that joined a task while it was claimed stands in it (%s)',
  async (point) => {
    await writtenMeanwhile(edit(), point)
    expect(world.cloud.files.text(CLAIMED)).toContain('a second message')
    expect(world.cloud.files.text(CLAIMED)).toMatch(/^generation: 1$/m)
    expect(world.hub.files().get(CLAIMED)).toBe(world.cloud.files.text(CLAIMED))
    expect([copies(), world.cloud.files.text(NEEDS)]).toEqual([[], undefined])
    expect(world.cloud.rung).toHaveLength(1)
  },
)

it('what is another task by now is kept beside it, as ever', async () => {
  await writtenMeanwhile(taskText({ id: '01K9AAAAAAAAAAAAAAAA7H3K9Q', body: 'another' }))
  expect(copies()).toHaveLength(1)
  expect(world.cloud.files.text(CLAIMED)).not.toContain('another')
})

it('a message that joined a task while it was given back stands in it', async () => {
  world.cloud.files.put(NEEDS, taskText())
  await quiesce(world)
  const ask = { kind: 'give-back', id: 'c'.repeat(32), task: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' as TaskId } as const
  world.cloud.requests.ask({ ...ask, file: NEEDS.slice(NEEDS.lastIndexOf('/') + 1), holder: 'cloud', generation: 1 })
  world.at = (agent, at) => {
    const claimed = world.cloud.files.text(CLAIMED)
    if (agent === 'cloud' && at === 'landed' && claimed)
      world.cloud.files.put(CLAIMED, `${claimed}\na second message\n`)
  }
  await synced(world.cloud)
  world.at = () => {}
  await quiesce(world)
  expect(world.hub.files().get(NEEDS)).toMatch(/generation: 2[\s\S]*a second message/)
  expect([copies(), world.cloud.files.text(CLAIMED)]).toEqual([[], undefined])
})

it('what has no room for the claim is kept beside it, and stops nothing', async () => {
  await writtenMeanwhile(taskText({ more: `note: ${'x'.repeat(16_180)}\n` }))
  expect(copies()).toHaveLength(1)
  expect(world.cloud.files.text(CLAIMED)).not.toContain('xxx')
})
