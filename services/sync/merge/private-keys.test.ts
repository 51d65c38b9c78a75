import { beforeEach, describe, expect, it } from 'vitest'
import { makeSyncWorld, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'

const F = 'PAYMENT_2026-11-20_rent_7h3k9q.md'
const NEEDS = `Needs_Action/payment/${F}`
const LOCAL = `In_Progress/local/${F}`
const PENDING = `Pending_Approval/payment/${F}`
const DONE = `Done/2026-11/${F}`
const payment = (options: Parameters<typeof taskText>[0] = {}) =>
  taskText(options).replace('domain: email', 'domain: payment')

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
beforeEach(() => {
  world = makeSyncWorld()
  ;({ cloud, local } = world)
})
const rounds = async (...zones: SyncZone[]) => {
  for (const zone of zones) expect(await zone.sync()).toMatchObject({ kind: 'synced' })
}
const hubHas = () => [...world.hub.files().keys()].filter((path) => !path.startsWith('Logs/'))
const here = (zone: SyncZone) => [...zone.files.files().keys()].filter((path) => !path.startsWith('Logs/')).sort()
/** Whether any commit at the hub has ever carried the words. */
const hubEverHad = (words: string) =>
  [...world.hub.blobs.values()].some((bytes) => Buffer.from(bytes).toString('utf8').includes(words))
const committed = async () => {
  const commits = await local.repo.commitsBetween(null, world.hub.head!)
  return commits.flatMap(({ changes }) => changes.map(({ path }) => path)).filter((path) => path.includes(F))
}

describe('a task that is born in a private domain', () => {
  it('is never committed, through its whole life', async () => {
    local.files.put('Plans/trip.md', 'a plan')
    local.files.put(NEEDS, payment())
    await rounds(local)
    local.files.rename(NEEDS, PENDING)
    await rounds(local)
    for (const [from, to] of [
      [PENDING, `Approved/${F}`],
      [`Approved/${F}`, LOCAL],
      [LOCAL, DONE],
    ] as const) {
      local.files.rename(from, to)
      await rounds(local, cloud)
    }
    expect(hubHas()).toEqual(['Plans/trip.md'])
    expect(await committed()).toEqual([])
    expect(here(cloud)).toEqual(['Plans/trip.md'])
    expect(local.files.text(DONE)).toBeDefined()
  })

  it('stays when the person breaks its file, and after a restart', async () => {
    local.files.put('Plans/trip.md', 'a plan')
    local.files.put(NEEDS, payment())
    await rounds(local)
    local.files.rename(NEEDS, DONE)
    local.files.put(DONE, 'no task any more')
    await rounds(local)
    local.restart()
    await rounds(local, cloud)
    expect(hubHas()).toEqual(['Plans/trip.md'])
    expect(local.files.text(DONE)).toBe('no task any more')
  })

  it('stays when its file says another domain later', async () => {
    local.files.put('Plans/trip.md', 'a plan')
    local.files.put(LOCAL, payment({ generation: 1 }))
    await rounds(local)
    local.files.put(LOCAL, taskText({ generation: 1 }))
    await rounds(local)
    expect(hubHas()).toEqual(['Plans/trip.md'])
  })

  it('comes to rest: nothing is open about it, and nothing is held', async () => {
    local.files.put(NEEDS, payment())
    await rounds(local, local)
    const outcome = await local.sync()
    expect(outcome).toMatchObject({ kind: 'synced', report: { pushed: false, appliedCount: 0, held: [] } })
    expect(local.deps().attention.open.size).toBe(0)
  })

  it('is carried where the zone is set to carry it', async () => {
    Object.assign(local.deps(), { carriesPrivate: true })
    local.files.put(NEEDS, payment())
    await rounds(local)
    expect(hubHas()).toEqual([NEEDS])
  })
})

describe('a payment that the cloud has found', () => {
  beforeEach(async () => {
    cloud.files.put(NEEDS, payment())
    await rounds(cloud, local)
    expect(local.files.text(NEEDS)).toBeDefined()
  })

  it('is not claimed by the cloud, and leaves the hub when local has claimed it', async () => {
    expect(hubHas()).toEqual([NEEDS])
    local.requests.ask({
      kind: 'claim',
      id: '1'.padStart(32, '0'),
      task: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' as never,
      file: F,
    })
    await rounds(local, local, cloud)
    expect(local.requests.answers.map(([, answer]) => answer)).toEqual([{ kind: 'landed', generation: 1 }])
    expect(hubHas()).toEqual([])
    expect(here(cloud)).toEqual([])
    expect(here(local)).toEqual([LOCAL])
    expect(local.files.text(LOCAL)).toContain('generation: 1')
    expect(cloud.rung).toEqual([])
  })

  it('leaves it too when the person moves its file by hand', async () => {
    local.files.rename(NEEDS, PENDING)
    await rounds(local, cloud)
    expect(hubHas()).toEqual([])
    expect(here(cloud)).toEqual([])
    local.files.put(PENDING, payment({ body: 'words of the person' }))
    await rounds(local, cloud)
    expect(hubEverHad('words of the person')).toBe(true) // In the store of objects that the twin shares.
    expect(await committed()).toEqual([NEEDS, NEEDS])
  })

  it('is kept beside when the cloud had edited it meanwhile', async () => {
    cloud.files.put(NEEDS, payment({ body: 'what the cloud found out' }))
    await rounds(cloud)
    local.files.rename(NEEDS, LOCAL)
    await rounds(local, cloud)
    expect(hubHas()).toEqual([])
    const [copy = ''] = here(local).filter((path) => path.includes('.conflict-'))
    expect(copy).toMatch(/^Pending_Approval\/payment\//)
    expect(local.files.text(copy)).toContain('what the cloud found out')
    expect(local.files.text(LOCAL)).toBeDefined()
    await rounds(local, cloud)
    expect(hubHas()).toEqual([])
  })

  it('is shared as long as it is open: an edit of the person’s goes to the hub', async () => {
    local.files.put(NEEDS, payment({ body: 'only half of it' }))
    await rounds(local, cloud)
    expect(cloud.files.text(NEEDS)).toContain('only half of it')
  })

  it('goes from here when another has taken it from the hub', async () => {
    cloud.files.drop(NEEDS)
    const oid = null
    const commit = await local.repo.commitTree({
      parent: world.hub.head,
      changes: [{ path: NEEDS, oid }],
      message: 'x',
    })
    await local.repo.push({ commit, expected: world.hub.head })
    await rounds(local)
    expect(here(local)).toEqual([])
  })
})

it('the dashboard stays on its machine: it names private tasks', async () => {
  local.files.put('Dashboard.md', 'Rent to Bob waits for you')
  local.files.put('Plans/trip.md', 'a plan')
  await rounds(local, cloud)
  expect(hubHas()).toEqual(['Plans/trip.md'])
  expect(local.files.text('Dashboard.md')).toBe('Rent to Bob waits for you')
})
