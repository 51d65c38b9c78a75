import { expect, it } from 'vitest'
import { isConflictCopy } from '#core/vault-path.ts'
import { makeSyncWorld, PRESENTED, pendingEverywhere, quiesce, synced, taskText } from '#tests/support/sync-world.ts'

const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const MESSAGE = 'EMAIL_2026-11-20_re-invoice-for-march_8j4m2r.md'
const MESSAGE_ID = '01K9ZZZZZZZZZZZZZZZZ8J4M2R'

it('a message for a card that local has shown goes to local, and the task comes back to be drafted anew', async () => {
  const world = makeSyncWorld()
  const { cloud, local } = world
  await pendingEverywhere(world, F)
  local.files.put(`Pending_Approval/email/${F}`, taskText({ generation: 1, body: 'the card', more: PRESENTED }))
  await quiesce(world)
  const joins = 'for: local\njoins: 01K9ZZZZZZZZZZZZZZZZ7H3K9Q\n'
  cloud.files.put(`Needs_Action/email/${MESSAGE}`, taskText({ id: MESSAGE_ID, body: 'a message', more: joins }))
  await quiesce(world)
  expect(local.files.text(`In_Progress/local/${MESSAGE}`)).toMatch(
    /joins: 01K9Z[\s\S]*generation: 1|generation: 1[\s\S]*joins/,
  )
  expect(cloud.rung.map((job) => job.taskId)).not.toContain(MESSAGE_ID)
  // What the executor makes of the two.
  local.files.put(`Pending_Approval/email/${F}`, taskText({ generation: 1, body: 'the card and a message' }))
  local.files.rename(`Pending_Approval/email/${F}`, `Needs_Action/email/${F}`)
  local.files.rename(`In_Progress/local/${MESSAGE}`, `Done/2026-11/${MESSAGE}`)
  await quiesce(world)
  for (const { files } of [cloud, local]) {
    expect(files.text(`In_Progress/cloud/${F}`)).toMatch(/generation: 2[\s\S]*the card and a message/)
    expect(files.text(`Done/2026-11/${MESSAGE}`)).toBeDefined()
    expect([...files.files().keys()].filter(isConflictCopy)).toEqual([])
  }
  expect(await synced(cloud)).toMatchObject({ pushed: false })
})
