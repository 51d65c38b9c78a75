import { beforeEach, expect, it } from 'vitest'
import { handedOf } from '#core/hand-over.ts'
import type { TaskId } from '#core/ids.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { Crash, LEDGER_DAY, makeSyncWorld, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'

const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const BILL = `Needs_Action/payment/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const LOCAL = `In_Progress/local/${F}`
const about = { task: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' as TaskId, file: F }
type GiveBack = Extract<SyncRequest, { kind: 'give-back' }>

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
let serial = 0
beforeEach(() => {
  world = makeSyncWorld()
  ;({ cloud, local } = world)
})
const handOver = (zone: SyncZone, more: Partial<GiveBack>): string => {
  const id = String(++serial).padStart(32, '0')
  zone.requests.ask({ kind: 'give-back', ...about, id, holder: 'cloud', generation: 1, ...more })
  return id
}
const answered = (zone: SyncZone, id: string): SyncAnswer | undefined =>
  zone.requests.answers.findLast(([to]) => to === id)?.[1]
const rounds = async (...zones: SyncZone[]) => {
  for (const zone of zones) expect(await zone.sync()).toMatchObject({ kind: 'synced' })
}
const hubHas = () => [...world.hub.files().keys()].filter((path) => !path.startsWith('Logs/'))
const fileAt = (zone: SyncZone, path: string) => {
  const parsed = parseTaskFile(zone.files.text(path) ?? '')
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.task
}
/** The cloud has claimed it. */
const claimed = async () => {
  cloud.files.put(NEEDS, taskText())
  await rounds(cloud, local)
}

it('a mail that the cloud finds to be a bill goes to the local zone, and the cloud never touches it again', async () => {
  await claimed()
  const id = handOver(cloud, { domain: 'payment', why: 'it is a bill' })
  await rounds(cloud)
  expect(answered(cloud, id)).toEqual({ kind: 'landed', generation: 2 })
  expect(hubHas()).toEqual([BILL])
  await rounds(cloud, cloud)
  expect(hubHas()).toEqual([BILL])
  await rounds(local)
  const [path = ''] = [BILL, LOCAL].filter((one) => local.files.text(one) !== undefined)
  const task = fileAt(local, path)
  expect(task.front.domain).toBe('payment')
  expect(handedOf(task)).toMatchObject({ from: 'cloud', was: 'email', why: 'it is a bill' })
  expect(cloud.files.text(`Logs/cloud/${LEDGER_DAY}.jsonl`)).toMatch(/task\.given-back.*"domain":"payment"/)
})

it.each(['committed', 'pushed', 'landed', 'applied'])('is handed over once when sync dies at "%s"', async (point) => {
  await claimed()
  const id = handOver(cloud, { domain: 'payment' })
  world.at = (_zone, at) => {
    if (at === point) throw new Crash(point)
  }
  await expect(cloud.sync()).rejects.toThrow(Crash)
  world.at = () => {}
  cloud.restart()
  await rounds(cloud, cloud)
  expect(answered(cloud, id)).toEqual({ kind: 'landed', generation: 2 })
  expect(hubHas()).toEqual([BILL])
})

it('what local holds goes to the cloud, which takes it up', async () => {
  local.files.put(LOCAL, taskText({ generation: 1 }))
  await rounds(local, cloud)
  const id = handOver(local, { holder: 'local', keptFor: 'cloud' })
  await rounds(local, cloud)
  expect(answered(local, id)).toEqual({ kind: 'landed', generation: 2 })
  expect(hubHas()).toEqual([CLOUD])
  expect(fileAt(cloud, CLOUD).front).toMatchObject({ generation: 3, handed: { from: 'local' } })
})

it('nothing of a payment goes to the cloud, by whatever name', async () => {
  local.files.put(`In_Progress/local/${F}`, taskText({ generation: 1 }).replace('domain: email', 'domain: payment'))
  await rounds(local, cloud)
  for (const more of [
    { keptFor: 'cloud' },
    { domain: 'email' as const },
    { domain: 'email' as const, keptFor: 'cloud' },
  ]) {
    const id = handOver(local, { holder: 'local', ...more })
    await rounds(local)
    expect(answered(local, id)).toMatchObject({ kind: 'refused', rule: 'private-stays' })
  }
  // Once it has stayed it stays, though its file says another domain now.
  local.files.put(LOCAL, taskText({ generation: 1 }))
  await rounds(local)
  const id = handOver(local, { holder: 'local', keptFor: 'cloud' })
  await rounds(local, cloud)
  expect(answered(local, id)).toMatchObject({ kind: 'refused', rule: 'private-stays' })
  expect(hubHas()).toEqual([])
})

it('what came out of a payment by a file that says so is not taken up by itself', async () => {
  const handed = 'handed:\n  from: local\n  was: payment\n  at: "2026-11-20T10:00:00Z"\n'
  local.files.put(NEEDS, taskText({ more: handed }))
  await rounds(local, cloud, cloud)
  expect(hubHas()).toEqual([NEEDS])
})

it('the domain of what nobody holds is changed by the local zone alone', async () => {
  const task = taskText({ more: 'for: local-two\n' })
  local.files.put(NEEDS, task)
  await rounds(local, cloud)
  const refused = handOver(cloud, { holder: null, generation: 0, domain: 'payment' })
  await rounds(cloud)
  expect(answered(cloud, refused)).toMatchObject({ kind: 'refused', rule: 'not-your-work' })
  const id = handOver(local, { holder: null, generation: 0, domain: 'general' })
  await rounds(local)
  expect(answered(local, id)).toEqual({ kind: 'landed', generation: 1 })
  await rounds(cloud)
  expect(fileAt(cloud, CLOUD).front).toMatchObject({ domain: 'general', handed: { from: 'person', was: 'email' } })
})
