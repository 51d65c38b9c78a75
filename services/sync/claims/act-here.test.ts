import { beforeEach, describe, expect, it } from 'vitest'
import type { TaskId } from '#core/ids.ts'
import type { SyncAnswer } from '#core/sync-request.ts'
import type { VaultPath } from '#core/vault-path.ts'
import { Crash, makeSyncWorld, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'

const TASK = '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' as TaskId
const E = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const P = 'PAYMENT_2026-11-20_rent_7h3k9q.md'
const payment = (options: Parameters<typeof taskText>[0] = {}) =>
  taskText(options).replace('domain: email', 'domain: payment')

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
let serial = 0
const start = (moreAgents: NonNullable<Parameters<typeof makeSyncWorld>[0]>['moreAgents'] = []) => {
  world = makeSyncWorld({ moreAgents })
  ;({ cloud, local } = world)
}
beforeEach(() => start())

/** Each zone has been in touch with the hub. */
const meet = async () => {
  local.files.put('Plans/trip.md', 'a plan')
  await rounds(local, cloud, cloud)
}
const rounds = async (...zones: SyncZone[]) => {
  for (const zone of zones) expect(await zone.sync()).toMatchObject({ kind: 'synced' })
}
const askClaim = (zone: SyncZone, file: string): string => {
  const id = String(++serial).padStart(32, '0')
  zone.requests.ask({ kind: 'claim', id, task: TASK, file })
  return id
}
const answered = (zone: SyncZone, id: string): SyncAnswer[] =>
  zone.requests.answers.flatMap(([to, answer]) => (to === id ? [answer] : []))
const hubHas = () =>
  [...world.hub.files().keys()].filter((path) => !path.startsWith('Logs/') && path !== 'Plans/trip.md')
const WAITS = [expect.objectContaining({ kind: 'waiting' })]

describe('a task that the hub has never seen', () => {
  it('is claimed while the hub is away; later the hub gets every step of it', async () => {
    await meet()
    world.hub.isOffline = true
    cloud.files.put(`Needs_Action/email/${E}`, taskText())
    await cloud.sync()
    expect(cloud.rung).toEqual([{ taskId: TASK, generation: 1 }])
    expect(cloud.files.text(`In_Progress/cloud/${E}`)).toMatch(/generation: 1/)
    cloud.files.put(`In_Progress/cloud/${E}`, taskText({ generation: 1, body: 'a draft' }))
    cloud.files.rename(`In_Progress/cloud/${E}`, `Pending_Approval/email/${E}`)
    await cloud.sync()
    const before = world.hub.head
    world.hub.isOffline = false
    await rounds(cloud, local)
    expect(local.files.text(`Pending_Approval/email/${E}`)).toContain('a draft')
    const commits = await local.repo.commitsBetween(before, world.hub.head!)
    expect(commits.map((one) => one.message.split('\n')[0]).filter((line) => !line?.includes('Logs'))).toEqual([
      'Sync 1 path from cloud',
      'Claim 1 task for cloud',
      expect.stringMatching(/^Sync \d paths? from cloud$/),
    ])
    expect(cloud.rung).toHaveLength(1)
    await rounds(cloud, local, cloud)
    expect(hubHas()).toEqual([`Pending_Approval/email/${E}`])
    expect(cloud.store.fact('offline_claims') ?? '[]').toBe('[]')
  })

  it('waits where a push of it had begun: it may have arrived', async () => {
    await meet()
    world.hub.pushFate = () => {
      world.hub.isOffline = true
      return 'lost-push'
    }
    cloud.files.put(`Needs_Action/email/${E}`, taskText())
    const id = askClaim(cloud, E)
    await cloud.sync()
    await cloud.sync()
    expect(answered(cloud, id).every((one) => one.kind === 'waiting')).toBe(true)
    expect(cloud.files.text(`Needs_Action/email/${E}`)).toBeDefined()
    expect(cloud.rung).toEqual([])
  })

  it('waits for a clone that has never met the hub, and for one whose memory is lost', async () => {
    world.hub.isOffline = true
    cloud.files.put(`Needs_Action/email/${E}`, taskText())
    const first = askClaim(cloud, E)
    await cloud.sync()
    expect(answered(cloud, first)).toEqual(WAITS)
    world.hub.isOffline = false
    await meet()
    world.hub.isOffline = true
    cloud.store.update({
      base: [...cloud.store.baseIn('In_Progress/cloud').keys()].map((path): [VaultPath, null] => [path, null]),
      wholeHub: [],
      facts: { based: null, verified: null, hub_at: null },
    })
    cloud.files.rename(`In_Progress/cloud/${E}`, `Needs_Action/email/${E}`)
    cloud.restart()
    const second = askClaim(cloud, E)
    await cloud.sync()
    expect(answered(cloud, second)).toEqual(WAITS)
  })

  it('is not pushed by its replay when it may not leave the machine', async () => {
    await meet()
    world.hub.isOffline = true
    cloud.files.put(
      `Needs_Action/email/${E}`,
      taskText({
        body: 'key: -----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n-----END OPENSSH PRIVATE KEY-----',
      }),
    )
    await cloud.sync()
    world.hub.isOffline = false
    cloud.files.put('Plans/other.md', 'goes on')
    expect(await cloud.sync()).toMatchObject({ kind: 'synced', report: { held: [{ path: `In_Progress/cloud/${E}` }] } })
    expect(hubHas()).toEqual(['Plans/other.md'])
  })
})

it('a task that the hub knows waits for it', async () => {
  await meet()
  local.files.put(`Needs_Action/email/${E}`, taskText())
  await rounds(local)
  world.hub.isOffline = true
  const id = askClaim(local, E)
  await local.sync()
  expect(answered(local, id)).toEqual(WAITS)
  expect(local.files.text(`Needs_Action/email/${E}`)).toBeDefined()
})

describe('a task of a domain that is local’s alone', () => {
  const NEEDS = `Needs_Action/payment/${P}`
  const LOCAL = `In_Progress/local/${P}`

  it.each([false, true])('is claimed at once, and given back (hub away: %s)', async (isOffline) => {
    world.hub.isOffline = isOffline
    local.files.put(NEEDS, payment())
    const id = askClaim(local, P)
    await local.sync()
    expect(answered(local, id)).toEqual([{ kind: 'landed', generation: 1 }])
    expect(local.files.text(LOCAL)).toMatch(/generation: 1/)
    const look = 'a'.repeat(32)
    local.requests.ask({ kind: 'look', id: look, task: TASK, file: P })
    await local.sync()
    expect(answered(local, look)).toEqual([{ kind: 'seen', place: 'In_Progress/local', generation: 1 }])
    const back = 'b'.repeat(32)
    local.requests.ask({ kind: 'give-back', id: back, task: TASK, file: P, holder: 'local', generation: 1 })
    await local.sync()
    expect(answered(local, back)).toEqual([{ kind: 'landed', generation: 2 }])
    expect(local.files.text(NEEDS)).toMatch(/generation: 2/)
    world.hub.isOffline = false
    local.files.put('Plans/trip.md', 'a plan')
    await rounds(local, cloud)
    expect(hubHas()).toEqual([])
  })

  it('is claimed without being asked when it is kept for local', async () => {
    local.files.put(NEEDS, payment({ more: 'for: local\n' }))
    await local.sync()
    expect(local.files.text(LOCAL)).toMatch(/generation: 1/)
  })

  it('that the cloud has put at the hub may be claimed while the hub is away, and leaves it later', async () => {
    cloud.files.put(NEEDS, payment())
    await rounds(cloud, local)
    world.hub.isOffline = true
    const id = askClaim(local, P)
    await local.sync()
    expect(answered(local, id)).toEqual([{ kind: 'landed', generation: 1 }])
    world.hub.isOffline = false
    await rounds(local, cloud)
    expect(hubHas()).toEqual([])
    expect(local.files.text(LOCAL)).toBeDefined()
  })

  it('waits where another local agent may have claimed it', async () => {
    start([['local-b', 'local']])
    cloud.files.put(NEEDS, payment())
    await rounds(cloud, local)
    world.hub.isOffline = true
    const id = askClaim(local, P)
    await local.sync()
    expect(answered(local, id)).toEqual(WAITS)
    expect(local.files.text(NEEDS)).toBeDefined()
  })

  it.each(['act-begun', 'act-written', 'act-moved'])(
    'is claimed and told once when sync dies at "%s"',
    async (point) => {
      local.files.put(NEEDS, payment())
      const id = askClaim(local, P)
      world.at = (_agent, at) => {
        if (at === point) throw new Crash(point)
      }
      await expect(local.sync()).rejects.toThrow(Crash)
      world.at = () => {}
      local.restart()
      await rounds(local, local)
      expect(answered(local, id)).toEqual([expect.objectContaining({ kind: 'landed' })])
      expect(local.files.text(LOCAL)).toBeDefined()
      expect(local.files.text(NEEDS)).toBeUndefined()
      expect(local.store.fact('act')).toBeUndefined()
    },
  )
})

it.each(['act-begun', 'act-written', 'act-moved'])(
  'a mail that came while the hub was away is claimed once when sync dies at "%s" and the hub comes back',
  async (point) => {
    await meet()
    world.hub.isOffline = true
    cloud.files.put(`Needs_Action/email/${E}`, taskText())
    world.at = (_agent, at) => {
      if (at === point) throw new Crash(point)
    }
    await expect(cloud.sync()).rejects.toThrow(Crash)
    world.at = () => {}
    cloud.restart()
    world.hub.isOffline = false
    await rounds(cloud, cloud, local)
    expect(hubHas()).toEqual([`In_Progress/cloud/${E}`])
    expect(new Set(cloud.rung.map((job) => job.generation)).size).toBe(1)
    expect(world.hub.files().get(`In_Progress/cloud/${E}`)).toContain(`generation: ${cloud.rung[0]?.generation}`)
  },
)
