import { beforeEach, describe, expect, it } from 'vitest'
import type { TaskId } from '#core/ids.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import { Crash, LEDGER_DAY, makeSyncWorld, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'

const TASK = '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' as TaskId
const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const LOCAL = `In_Progress/local/${F}`
const PENDING = `Pending_Approval/email/${F}`
const about = { task: TASK, file: F }

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
let serial = 0
beforeEach(() => {
  world = makeSyncWorld()
  ;({ cloud, local } = world)
})

type Asked =
  | Omit<Extract<SyncRequest, { kind: 'claim' }>, 'id'>
  | Omit<Extract<SyncRequest, { kind: 'give-back' }>, 'id'>
  | Omit<Extract<SyncRequest, { kind: 'look' }>, 'id'>
const ask = (zone: SyncZone, asked: Asked): string => {
  const id = String(++serial).padStart(32, '0')
  zone.requests.ask({ ...asked, id } as SyncRequest)
  return id
}
const answered = (zone: SyncZone, id: string): SyncAnswer[] =>
  zone.requests.answers.flatMap(([to, answer]) => (to === id ? [answer] : []))
const rounds = async (...zones: SyncZone[]) => {
  for (const zone of zones) expect(await zone.sync()).toMatchObject({ kind: 'synced' })
}
const hubHas = () => [...world.hub.files().keys()].filter((path) => !path.startsWith('Logs/'))
const ledger = (zone: SyncZone) => zone.files.text(`Logs/${zone.zone}/${LEDGER_DAY}.jsonl`) ?? ''

describe('a claim that was asked for', () => {
  it('is told when the hub has it, and rings the drafter', async () => {
    local.files.put(NEEDS, taskText())
    const id = ask(local, { kind: 'claim', ...about })
    await rounds(local)
    expect(answered(local, id)).toEqual([{ kind: 'landed', generation: 1 }])
    expect(hubHas()).toEqual([LOCAL])
    expect(local.files.text(LOCAL)).toContain('generation: 1')
    expect(local.rung).toEqual([{ taskId: about.task, generation: 1 }])
    await rounds(local, cloud)
    expect(answered(local, id)).toHaveLength(1)
    expect(cloud.files.text(LOCAL)).toBeDefined()
  })

  it('is told of the other agent that was faster', async () => {
    local.files.put(NEEDS, taskText())
    await rounds(local)
    const id = ask(local, { kind: 'claim', ...about })
    world.at = async (zone, point) => {
      if (zone !== 'local' || point !== 'committed') return
      world.at = () => {}
      await rounds(cloud)
    }
    await rounds(local)
    expect(answered(local, id)).toEqual([{ kind: 'taken', by: 'cloud', generation: 1 }])
    expect(hubHas()).toEqual([CLOUD])
    expect(local.files.text(LOCAL)).toBeUndefined()
  })

  it('is won by one of two that were asked for by this agent; the other is told that it is held', async () => {
    local.files.put(NEEDS, taskText())
    const ids = [ask(local, { kind: 'claim', ...about }), ask(local, { kind: 'claim', ...about })]
    await rounds(local, local)
    expect(ids.map((id) => answered(local, id))).toEqual([
      [{ kind: 'landed', generation: 1 }],
      [{ kind: 'held', generation: 1 }],
    ])
  })

  it('waits for a hub that is away, and is made when it is back', async () => {
    local.files.put(NEEDS, taskText())
    await rounds(local)
    const id = ask(local, { kind: 'claim', ...about })
    world.hub.isOffline = true
    await local.sync()
    expect(answered(local, id)).toEqual([{ kind: 'waiting', say: 'The hub cannot be reached: the hub is offline' }])
    expect(local.files.text(NEEDS)).toBeDefined()
    world.hub.isOffline = false
    await rounds(local)
    expect(answered(local, id).at(-1)).toEqual({ kind: 'landed', generation: 1 })
  })

  it.each(['committed', 'pushed', 'landed', 'applied'])('is told once when sync dies at "%s"', async (point) => {
    local.files.put(NEEDS, taskText())
    const id = ask(local, { kind: 'claim', ...about })
    world.at = (_zone, at) => {
      if (at === point) throw new Crash(point)
    }
    await expect(local.sync()).rejects.toThrow(Crash)
    world.at = () => {}
    local.restart()
    await rounds(local, local)
    expect(answered(local, id)).toEqual([{ kind: 'landed', generation: 1 }])
    expect(hubHas()).toEqual([LOCAL])
  })

  it.each<[string, string, string, Partial<SyncAnswer>]>([
    ['waits for the person', PENDING, '', { kind: 'elsewhere', place: 'Pending_Approval/email' }],
    ['is kept for another', NEEDS, 'for: cloud\n', { kind: 'refused', rule: 'kept-for-another' }],
    ['nobody can read', NEEDS, 'history: 7\n', { kind: 'refused', rule: 'front-matter-schema' }],
  ])('is refused for a task that %s', async (_what, path, more, answer) => {
    local.files.put(path, taskText({ more }))
    const id = ask(local, { kind: 'claim', ...about })
    await rounds(local)
    expect(answered(local, id)).toEqual([expect.objectContaining(answer)])
  })

  it('is refused for a task of another name, and for one that is nowhere', async () => {
    const id = ask(local, { kind: 'claim', ...about })
    await rounds(local)
    expect(answered(local, id)).toEqual([{ kind: 'elsewhere', place: null }])
    local.files.put(NEEDS, taskText({ id: '01K9ZZZZZZZZZZZZZZZZ8J4M0R' }))
    const other = ask(local, { kind: 'claim', ...about })
    await rounds(local)
    expect(answered(local, other)).toEqual([expect.objectContaining({ kind: 'refused', rule: 'task-id-changed' })])
  })
})

describe('a task kept for an agent', () => {
  it('is claimed by it without being asked, and by no other', async () => {
    local.files.put(NEEDS, taskText({ more: 'for: local\n' }))
    await rounds(local, cloud)
    expect(hubHas()).toEqual([LOCAL])
    expect(cloud.rung).toEqual([])
  })
})

describe('giving back', () => {
  /** A task that the cloud has claimed, on both sides. */
  const claimed = async () => {
    cloud.files.put(NEEDS, taskText())
    await rounds(cloud, local)
  }
  const giveBack = (zone: SyncZone, more: { generation?: number; keptFor?: string; holder?: string | null } = {}) =>
    ask(zone, { kind: 'give-back', ...about, holder: 'cloud', generation: 1, ...more })

  it('by the owner leaves the task to others: it does not take it up again by itself', async () => {
    await claimed()
    const id = giveBack(cloud)
    await rounds(cloud, cloud)
    expect(answered(cloud, id)).toEqual([{ kind: 'landed', generation: 2 }])
    expect(hubHas()).toEqual([NEEDS])
    expect(cloud.files.text(NEEDS)).toMatch(/generation: 2/)
    expect(ledger(cloud).match(/"task\.given-back"/g)).toHaveLength(1)
    const again = ask(cloud, { kind: 'claim', ...about })
    await rounds(cloud)
    expect(answered(cloud, again)).toEqual([{ kind: 'landed', generation: 3 }])
  })

  it('by the person takes it from an agent, which finds that it lost', async () => {
    await claimed()
    cloud.files.put(CLOUD, taskText({ generation: 1, body: 'half a draft' }))
    const id = giveBack(local, { keptFor: 'local' })
    await rounds(local)
    expect(answered(local, id)).toEqual([{ kind: 'landed', generation: 2 }])
    cloud.files.rename(CLOUD, PENDING)
    await rounds(cloud, local, cloud, local)
    expect(hubHas().filter((path) => !path.includes('.conflict-'))).toEqual([LOCAL])
    expect(world.hub.files().get(LOCAL)).toMatch(/generation: 3/)
    expect([...world.hub.files().values()].join()).toContain('half a draft')
  })

  it('comes too late for what was handed in or claimed anew meanwhile', async () => {
    await claimed()
    cloud.files.rename(CLOUD, PENDING)
    await rounds(cloud)
    const late = giveBack(local)
    await rounds(local)
    expect(answered(local, late)).toEqual([{ kind: 'elsewhere', place: 'Pending_Approval/email' }])
    local.files.rename(PENDING, NEEDS)
    await rounds(local, cloud)
    const older = giveBack(local)
    await rounds(local)
    expect(answered(local, older)).toEqual([{ kind: 'taken', by: 'cloud', generation: 2 }])
    expect(hubHas()).toEqual([CLOUD])
  })

  it('is final once begun: an unheard push is repeated until the hub shows it', async () => {
    await claimed()
    const fates = ['lost-push' as const, 'lost-answer' as const]
    world.hub.pushFate = () => fates.pop() ?? 'ok'
    const id = giveBack(cloud)
    await rounds(cloud)
    expect(answered(cloud, id)).toEqual([{ kind: 'landed', generation: 2 }])
    expect(world.hub.files().get(NEEDS)).toMatch(/generation: 2/)
  })

  it.each(['committed', 'pushed', 'landed', 'applied'])('is answered when sync dies at "%s"', async (point) => {
    await claimed()
    const id = giveBack(cloud)
    world.at = (_zone, at) => {
      if (at === point) throw new Crash(point)
    }
    await expect(cloud.sync()).rejects.toThrow(Crash)
    world.at = () => {}
    cloud.restart()
    await rounds(cloud, cloud)
    expect(answered(cloud, id)).toEqual([{ kind: 'landed', generation: 2 }])
    expect(hubHas()).toEqual([NEEDS])
  })

  it.each<[string, { keptFor?: string }, string]>([
    ['an agent that nobody knows', { keptFor: 'mallory' }, 'agent-unknown'],
  ])('is refused for %s', async (_what, more, rule) => {
    await claimed()
    const id = giveBack(cloud, more)
    await rounds(cloud)
    expect(answered(cloud, id)).toEqual([expect.objectContaining({ kind: 'refused', rule })])
    expect(hubHas()).toEqual([CLOUD])
  })

  it('is refused to the cloud for another’s work, and for what the executor has picked up', async () => {
    const card = 'action:\n  tool: email.send_email\n'
    const body = '<!-- countersign:card -->\nwhat will be done\n<!-- countersign:/card -->'
    local.files.put(LOCAL, taskText({ generation: 1, more: card, body }))
    await rounds(local, cloud)
    const ids = [giveBack(cloud, { holder: 'local' }), giveBack(local, { holder: 'local' })]
    await rounds(cloud, local)
    expect(answered(cloud, ids[0] ?? '')).toEqual([expect.objectContaining({ rule: 'not-your-work' })])
    expect(answered(local, ids[1] ?? '')).toEqual([expect.objectContaining({ rule: 'being-executed' })])
  })

  it('keeps an open task for an agent where it stands', async () => {
    local.files.put(NEEDS, taskText())
    const id = giveBack(local, { holder: null, generation: 0, keptFor: 'local' })
    await rounds(local)
    expect(answered(local, id)).toEqual([{ kind: 'landed', generation: 0 }])
    await rounds(local)
    expect(hubHas()).toEqual([LOCAL])
  })
})

describe('a look', () => {
  it('says what the hub shows now, not what this clone had last seen', async () => {
    cloud.files.put(NEEDS, taskText())
    await rounds(cloud, local)
    const back = ask(cloud, { kind: 'give-back', ...about, holder: 'cloud', generation: 1 })
    await rounds(cloud)
    expect(answered(cloud, back)).toHaveLength(1)
    const id = ask(local, { kind: 'look', ...about })
    await rounds(local)
    expect(answered(local, id)).toEqual([{ kind: 'seen', place: 'Needs_Action/email', generation: 2 }])
  })
})
