import { beforeEach, describe, expect, it } from 'vitest'
import { verifyChain } from '#core/ledger.ts'
import { isConflictCopy } from '#core/vault-path.ts'
import {
  Crash,
  LEDGER_DAY,
  makeSyncWorld,
  PRESENTED,
  pendingEverywhere,
  quiesce,
  type SyncWorld,
  type SyncZone,
  synced,
  taskText,
  withoutLogs,
} from '#tests/support/sync-world.ts'
import type { CycleOutcome } from './cycle-outcome.ts'
import { syncCycle } from './sync-cycle.ts'

const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const PENDING = `Pending_Approval/email/${F}`
const APPROVED = `Approved/${F}`
const FROZEN = `In_Progress/local/${F}`
const DONE = `Done/2026-11/${F}`

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
beforeEach(() => {
  world = makeSyncWorld()
  ;({ cloud, local } = world)
})

const hubFiles = () => withoutLogs(world.hub.files())
const copies = (files: ReadonlyMap<string, string>) => [...files.keys()].filter(isConflictCopy)

describe('the story', () => {
  it('goes from a new mail in the cloud to Done at the hub', async () => {
    cloud.files.put(NEEDS, taskText())
    expect(await synced(cloud)).toMatchObject({ pushed: true, claims: [{ generation: 1 }] })
    expect(cloud.files.text(NEEDS)).toBeUndefined()
    expect(cloud.files.text(CLOUD)).toMatch(/generation: "?1/)
    expect(cloud.files.text(CLOUD)).toContain('state: In_Progress/cloud')
    expect(cloud.rung).toEqual([{ taskId: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q', generation: 1 }])

    cloud.files.put(CLOUD, taskText({ generation: 1, body: 'a draft' }))
    cloud.files.rename(CLOUD, PENDING)
    await synced(cloud)
    await synced(local)
    expect(local.files.text(PENDING)).toContain('a draft')

    local.files.put(PENDING, taskText({ generation: 1, body: 'a better draft', more: PRESENTED }))
    local.files.rename(PENDING, APPROVED)
    await synced(local)
    local.files.rename(APPROVED, FROZEN)
    local.files.rename(FROZEN, DONE)
    await quiesce(world)
    expect(Object.keys(hubFiles())).toEqual([DONE])
    expect(cloud.files.text(DONE)).toContain('a better draft')
    expect(withoutLogs(local.files.files())).toEqual(hubFiles())
  })

  it('creates and claims in one push', async () => {
    cloud.files.put(NEEDS, taskText())
    await synced(cloud)
    const commits = await cloud.repo.commitsBetween(null, world.hub.head!)
    expect(commits.map((commit) => commit.message.split('\n')[0])).toEqual([
      'Sync 1 path from cloud',
      'Claim 1 task for cloud',
    ])
    expect(commits[1]?.trailers).toMatchObject({ Claim: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q', Nonce: expect.any(String) })
  })

  it('carries redrafts: the person sends it back and the cloud claims it anew', async () => {
    await pendingEverywhere(world, F)
    local.files.rename(PENDING, NEEDS)
    await synced(local)
    expect(await synced(cloud)).toMatchObject({ claims: [{ generation: 2 }] })
    expect(cloud.files.text(CLOUD)).toMatch(/generation: "?2/)
  })

  it('lets local claim nothing from the hub', async () => {
    local.files.put(NEEDS, taskText())
    await synced(local)
    expect(local.files.text(NEEDS)).toBeDefined()
  })

  it('claims what a person dropped in local', async () => {
    local.files.put(NEEDS, taskText())
    await synced(local)
    expect(await synced(cloud)).toMatchObject({ claims: [{ generation: 1 }] })
    await synced(local)
    expect(local.files.text(CLOUD)).toBeDefined()
    expect(local.files.text(NEEDS)).toBeUndefined()
  })

  it('comes to rest: a cycle without news pushes and changes nothing', async () => {
    await pendingEverywhere(world, F)
    const head = world.hub.head
    await quiesce(world)
    expect(world.hub.head).toBe(head)
  })
})

describe('what the person sees', () => {
  it('stays when the cloud redrafts a card that local has presented; the new draft comes beside it', async () => {
    await pendingEverywhere(world, F)
    const card = taskText({ generation: 1, body: 'the card', more: PRESENTED })
    local.files.put(PENDING, card)
    cloud.files.put(PENDING, taskText({ generation: 1, body: 'draft two' }))
    await synced(cloud)
    expect(await synced(local)).toMatchObject({ newConflicts: 1 })
    expect(local.files.text(PENDING)).toBe(card)
    const [copy = ''] = copies(local.files.files())
    expect(copy).toMatch(/^Pending_Approval\/email\/.*\.conflict-cloud-20261120T1\d{5}Z-[0-9a-f]{8}\.md$/)
    expect(local.files.text(copy)).toContain('draft two')
    await quiesce(world)
    expect(cloud.files.text(PENDING)).toBe(card)
  })

  it('is approved with just the bytes that were seen, although the cloud edits meanwhile', async () => {
    await pendingEverywhere(world, F)
    cloud.files.put(PENDING, taskText({ generation: 1, body: 'draft two' }))
    await synced(cloud)
    local.files.rename(PENDING, APPROVED)
    await synced(local)
    expect(local.files.text(APPROVED)).toContain('draft one')
    expect(copies(local.files.files())).toHaveLength(1)
  })

  it('is not undone by what the cloud may not do: its edit of a presented card is kept beside it', async () => {
    await pendingEverywhere(world, F)
    local.files.put(PENDING, taskText({ generation: 1, body: 'the card', more: PRESENTED }))
    await synced(local)
    cloud.files.put(PENDING, taskText({ generation: 1, body: 'draft two' }))
    await quiesce(world)
    expect(local.files.text(PENDING)).toContain('the card')
    expect(cloud.files.text(PENDING)).toContain('the card')
    expect(copies(local.files.files())).toHaveLength(1)
  })
})

describe('what an agent may not write', () => {
  it('is held back with the rule, and the rest goes on', async () => {
    cloud.files.put('Company_Handbook.md', 'my own rules')
    cloud.files.put('Plans/trip.md', 'a plan')
    const { held } = await synced(cloud)
    expect(held).toEqual([{ path: 'Company_Handbook.md', rule: 'local-only-path' }])
    expect(hubFiles()).toEqual({ 'Plans/trip.md': 'a plan' })
    expect(cloud.files.text('Company_Handbook.md')).toBe('my own rules')
  })

  it('is reported in the ledger once', async () => {
    cloud.files.put('Company_Handbook.md', 'my own rules')
    await quiesce(world)
    await quiesce(world)
    expect(cloud.files.text('Company_Handbook.md')).toBe('my own rules')
    expect(cloud.files.text(`Logs/cloud/${LEDGER_DAY}.jsonl`)?.match(/"path\.held"/g)).toHaveLength(1)
  })

  it('gives way when the hub has it from its owner', async () => {
    cloud.files.put('Company_Handbook.md', 'my own rules')
    await synced(cloud)
    local.files.put('Company_Handbook.md', 'the person’s rules')
    await quiesce(world)
    expect(cloud.files.text('Company_Handbook.md')).toBe('the person’s rules')
    expect(cloud.trash.join()).toContain('my own rules')
  })

  it('is not pushed by a cloud that forges an approval', async () => {
    await pendingEverywhere(world, F)
    cloud.files.rename(PENDING, APPROVED)
    const { held } = await synced(cloud)
    expect(held[0]).toMatchObject({ rule: expect.any(String) })
    expect(Object.keys(hubFiles())).toEqual([PENDING])
    await synced(local)
    expect(local.files.text(APPROVED)).toBeUndefined()
  })

  it('comes back when it was removed', async () => {
    cloud.files.put(NEEDS, taskText())
    await synced(cloud)
    cloud.files.drop(CLOUD)
    await synced(cloud)
    expect(cloud.files.text(CLOUD)).toBeDefined()
  })
})

describe('the gate', () => {
  /** A commit with the cloud's signature, past the cloud's own check and past a hub without its hook. */
  const forge = async (path: string, text: string) => {
    const oid = await cloud.repo.writeBlob(new TextEncoder().encode(text))
    const commit = await cloud.repo.commitTree({
      parent: world.hub.head,
      changes: [{ path, oid }],
      message: 'forged',
      trailers: { Nonce: 'x' },
    })
    await cloud.repo.push({ commit, expected: world.hub.head })
    return commit
  }

  it('refuses a forged approval: nothing is applied, nothing is pushed onto it, the ledger says so once', async () => {
    await pendingEverywhere(world, F)
    const forged = await forge(APPROVED, taskText({ generation: 9, body: 'pay me' }))
    local.files.put('Plans/mine.md', 'goes on locally')
    for (let round = 0; round < 3; round++)
      expect(await local.sync()).toMatchObject({
        kind: 'refused',
        head: forged,
        faults: [{ rule: 'local-only-path' }, { rule: 'task-in-two-places' }],
      })
    expect(local.files.text(APPROVED)).toBeUndefined()
    expect(world.hub.head).toBe(forged)
    expect(await local.repo.readRef('quarantine')).toBe(forged)
    expect(local.files.text('Plans/mine.md')).toBe('goes on locally')
    expect(local.files.text(`Logs/local/${LEDGER_DAY}.jsonl`)?.match(/"gate\.refused"/g)).toHaveLength(1)
  })

  it('takes over what stands before a bad commit, and leaves what was written here until it can be pushed', async () => {
    await pendingEverywhere(world, F)
    local.files.put('Plans/trip.md', 'as it was\n')
    await quiesce(world)
    const own = { 'Plans/mine.md': 'mine\n', 'Plans/trip.md': 'my way\n' }
    for (const [path, text] of Object.entries(own)) local.files.put(path, text)
    cloud.files.put('Plans/news.md', 'from the cloud\n')
    cloud.files.put('Plans/trip.md', 'its way\n')
    await cloud.sync()
    const good = world.hub.head
    await forge(APPROVED, taskText())
    await forge('Plans/after.md', 'built on it\n')

    expect(await local.sync()).toMatchObject({ kind: 'refused', report: { head: good, appliedCount: 1 } })
    expect(await local.sync()).toMatchObject({ kind: 'refused', report: { head: good, appliedCount: 0 } })
    const plans = () => Object.fromEntries([...local.files.files()].filter(([path]) => path.startsWith('Plans/')))
    expect(plans()).toEqual({ ...own, 'Plans/news.md': 'from the cloud\n' })

    world.hub.head = good
    await quiesce(world)
    expect(local.files.text('Plans/mine.md')).toBe('mine\n')
    const trips = Object.entries(plans()).filter(([path]) => path.startsWith('Plans/trip.'))
    expect(trips.map(([, text]) => text).sort()).toEqual(['its way\n', 'my way\n'])
  })

  it.each(['scanned', 'verified', 'settled', 'applying', 'written', 'applied'])(
    'takes it over once when it dies at %s',
    async (point) => {
      await pendingEverywhere(world, F)
      cloud.files.put('Plans/news.md', 'from the cloud\n')
      await cloud.sync()
      const good = world.hub.head
      const forged = await forge(APPROVED, taskText())
      world.at = (zone, at) => {
        if (zone === 'local' && at === point) throw new Crash(at)
      }
      await expect(local.sync()).rejects.toThrow(Crash)
      world.at = () => {}
      local.restart()
      expect(await local.sync()).toMatchObject({ kind: 'refused', head: forged, report: { head: good } })
      expect(local.files.text('Plans/news.md')).toBe('from the cloud\n')
      expect(local.files.text(`Logs/local/${LEDGER_DAY}.jsonl`)?.match(/"gate\.refused"/g)).toHaveLength(1)
      expect([...local.files.files().keys()].filter((path) => path.includes('.conflict-'))).toEqual([])
    },
  )

  it('asks anew each time whom to believe', async () => {
    await pendingEverywhere(world, F)
    const verified = world.hub.head
    const deps = local.deps()
    const revoked = { name: 'cloud', zone: 'cloud', signing: '', ledger: '', after: verified } as const
    const trust = async () => ({ ...(await deps.trust()), revoked: new Map([['memory:cloud', revoked]]) })
    cloud.files.put('Plans/news.md', 'from the cloud\n')
    await cloud.sync()
    expect(await syncCycle({ ...deps, trust })).toMatchObject({
      kind: 'refused',
      faults: [{ rule: 'signature-revoked' }],
    })
    expect(await syncCycle(deps)).toMatchObject({ kind: 'synced' })
  })

  it('goes on when the hub is put right', async () => {
    await pendingEverywhere(world, F)
    const good = world.hub.head
    await forge(APPROVED, taskText())
    expect(await local.sync()).toMatchObject({ kind: 'refused' })
    world.hub.head = good
    expect(await local.sync()).toMatchObject({ kind: 'synced' })
  })

  it('still knows the last verified head when the store was lost', async () => {
    await pendingEverywhere(world, F)
    const [first] = await local.repo.commitsBetween(null, world.hub.head!)
    world.hub.head = first?.oid ?? null
    local.store.update({ facts: { verified: null } })
    expect(await local.sync()).toMatchObject({ kind: 'restored', from: first?.oid })
  })
})

describe('a hub that is away or does not answer', () => {
  it('lets work go on and catches up', async () => {
    await pendingEverywhere(world, F)
    world.hub.isOffline = true
    local.files.rename(PENDING, APPROVED)
    expect(await local.sync()).toMatchObject({ kind: 'unreachable' })
    local.files.rename(APPROVED, FROZEN)
    local.files.rename(FROZEN, DONE)
    world.hub.isOffline = false
    await quiesce(world)
    expect(Object.keys(hubFiles())).toEqual([DONE])
  })

  it.each(['lost-answer', 'lost-push'] as const)('looks at the hub after a %s and claims once', async (fate) => {
    const fates = [fate]
    world.hub.pushFate = () => fates.pop() ?? 'ok'
    cloud.files.put(NEEDS, taskText())
    expect(await synced(cloud)).toMatchObject({ claims: [{ generation: 1 }] })
    expect(cloud.rung).toHaveLength(1)
    expect(cloud.files.text(CLOUD)).toMatch(/generation: "?1/)
    await quiesce(world)
    expect(Object.keys(hubFiles())).toEqual([CLOUD])
  })

  it('moves on from an approval whose push was answered by silence', async () => {
    await pendingEverywhere(world, F)
    local.files.rename(PENDING, APPROVED)
    const fates = ['lost-answer'] as ('lost-answer' | 'ok')[]
    world.hub.pushFate = () => {
      local.files.rename(APPROVED, FROZEN)
      return fates.pop() ?? 'ok'
    }
    await synced(local)
    await quiesce(world)
    expect(local.files.text(FROZEN)).toBeDefined()
    expect(Object.keys(hubFiles())).toEqual([FROZEN])
    expect(copies(local.files.files())).toEqual([])
  })

  it('says so when the hub’s hook refuses', async () => {
    world.hub.pushFate = () => 'refused'
    local.files.put('Plans/a.md', 'x')
    expect(await local.sync()).toEqual({
      kind: 'push-refused',
      cause: 'refused',
      reason: 'countersign: refused by the test',
    })
  })
})

describe('a work tree in motion', () => {
  it('does not take a vault that vanished for a deletion', async () => {
    for (let plan = 0; plan < 12; plan++) local.files.put(`Plans/p${plan}.md`, 'x')
    await synced(local)
    local.files.clear()
    await expect(local.sync()).rejects.toMatchObject({ code: 'ERR_VAULT_EMPTIED' })
    expect(Object.keys(hubFiles())).toHaveLength(12)
  })

  it('does not take a file for removed that one listing missed', async () => {
    local.files.put('Plans/a.md', 'x')
    await synced(local)
    const list = local.files.list
    local.files.list = async function* () {
      for await (const listing of list())
        yield { ...listing, files: new Map([...listing.files].filter(([path]) => path !== 'Plans/a.md')) }
    }
    local.restart()
    await synced(local)
    expect(hubFiles()).toEqual({ 'Plans/a.md': 'x' })
  })

  it('does not take a note for two that is renamed in case between two looks', async () => {
    local.files.put('Plans/Trip.md', 'x')
    await synced(local)
    world.now += 1_000
    local.deps().scanner.markAll()
    await synced(local)
    const { look } = local.files
    local.files.look = async (path) => {
      const sight = await look(path)
      if (path === 'Plans/Trip.md') local.files.rename('Plans/Trip.md', 'Plans/trip.md')
      return sight
    }
    for (const path of ['Plans/Trip.md', 'Plans/trip.md']) local.deps().scanner.mark(path)
    await local.sync()
    local.files.look = look
    await quiesce(world)
    expect(hubFiles()).toEqual({ 'Plans/trip.md': 'x' })
  })

  it('leaves a file that was edited while the merge ran, and merges it next', async () => {
    await pendingEverywhere(world, F)
    cloud.files.put(PENDING, taskText({ generation: 1, body: 'draft two' }))
    await synced(cloud)
    world.at = (zone, point) => {
      if (zone === 'local' && point === 'applying') {
        local.files.put(PENDING, taskText({ generation: 1, body: 'typed by the person' }))
        world.at = () => {}
      }
    }
    await synced(local)
    expect(local.files.text(PENDING)).toContain('typed by the person')
    await quiesce(world)
    const texts = [...local.files.files().values()].join()
    expect(texts).toContain('typed by the person')
    expect(texts).toContain('draft two')
  })

  it('carries a ledger up to its last whole line', async () => {
    local.files.put(`Logs/local/${LEDGER_DAY}.jsonl`, '')
    await local.ledger.append('mail.skipped')
    const whole = local.files.text(`Logs/local/${LEDGER_DAY}.jsonl`) ?? ''
    local.files.put(`Logs/local/${LEDGER_DAY}.jsonl`, `${whole}{"seq":2,"at`)
    local.ledger.append = async () => ({}) as never
    await synced(local)
    expect(world.hub.files().get(`Logs/local/${LEDGER_DAY}.jsonl`)).toBe(whole)
  })
})

describe('the ledgers', () => {
  const chain = (zone: 'cloud' | 'local') =>
    verifyChain(zone, [
      { name: `${LEDGER_DAY}.jsonl`, text: world.hub.files().get(`Logs/${zone}/${LEDGER_DAY}.jsonl`) ?? '' },
    ])

  it('are checkpointed and witnessed by the other zone, and then come to rest', async () => {
    await cloud.ledger.append('task.created')
    await quiesce(world)
    const types = (zone: 'cloud' | 'local') => chain(zone).entries.map((entry) => entry.type)
    expect(types('cloud')).toEqual(['task.created', 'ledger.checkpoint'])
    expect(types('local')).toEqual(['ledger.witnessed'])
    await local.ledger.append('draft.presented')
    await quiesce(world)
    expect(types('local')).toEqual(['ledger.witnessed', 'draft.presented', 'ledger.checkpoint'])
    expect(types('cloud')).toEqual(['task.created', 'ledger.checkpoint', 'ledger.witnessed'])
    expect([...chain('cloud').faults, ...chain('local').faults]).toEqual([])
  })

  it('are not witnessed when their chain is broken', async () => {
    await cloud.ledger.append('task.created')
    await cloud.ledger.append('task.drafted')
    const path = `Logs/cloud/${LEDGER_DAY}.jsonl`
    cloud.files.put(path, (cloud.files.text(path) ?? '').replace('task.created', 'mail.skipped'))
    await synced(cloud)
    expect((await synced(local)).ledgerProblems).toEqual([expect.stringContaining('the entry was edited')])
    expect(chain('local').entries).toEqual([])
  })
})

describe('a name in another Unicode form', () => {
  it('is respelled and carried', async () => {
    local.files.put('Plans/Idée.md'.normalize('NFD'), 'x')
    await synced(local)
    expect(hubFiles()).toEqual({ 'Plans/Idée.md': 'x' })
    expect([...local.files.files().keys()].filter((path) => path.startsWith('Plans'))).toEqual(['Plans/Idée.md'])
  })

  it('is left alone and told of where the other form is another file', async () => {
    local.files.put('Plans/Idée.md', 'y')
    local.files.put('Plans/Idée.md'.normalize('NFD'), 'x')
    const { report } = (await local.sync()) as Extract<CycleOutcome, { kind: 'synced' }>
    expect(report.held).toEqual([{ path: 'Plans/Idée.md'.normalize('NFD'), rule: 'path-not-nfc' }])
    expect(local.files.text('Plans/Idée.md'.normalize('NFD'))).toBe('x')
  })
})
