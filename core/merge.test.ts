import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MergeInput, type MergeResult, mergeKey, mergeVault } from './merge.ts'
import { isConflictCopy, type VaultPath, vaultPath } from './vault-path.ts'
import type { Zone } from './zone-policy.ts'

const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const at = (folder: string, name = F) => `${folder}/${name}`
const NEEDS = at('Needs_Action/email')
const CLOUD = at('In_Progress/cloud')
const PENDING = at('Pending_Approval/email')
const ELSEWHERE = at('Pending_Approval/accounting')
const APPROVED = at('Approved')
const REJECTED = at('Rejected')
const FROZEN = at('In_Progress/local')
const DONE = at('Done/2026-11')
const PLAN = 'Plans/trip.md'

type Files = Record<string, string>
const tree = (files: Files) => new Map(Object.entries(files).map(([path, blob]) => [vaultPath(path), blob]))
const sorted = (files: ReadonlyMap<string, string>) => Object.fromEntries([...files].toSorted())

/** Blobs are words; a word ending in `!` is a card that local has presented, or broken. Hub versions are of time 100 by cloud. */
function merge(zone: Zone, sides: { base?: Files; ours?: Files; theirs?: Files }, more: Partial<MergeInput> = {}) {
  return mergeVault({
    agent: zone,
    zone,
    base: tree(sides.base ?? {}),
    ours: tree(sides.ours ?? {}),
    theirs: tree(sides.theirs ?? {}),
    oursAt: () => ({ ms: 50, counter: 0, agent: zone }),
    theirsAt: () => ({ ms: 100, counter: 0, agent: zone === 'local' ? 'cloud' : 'local' }),
    isThePersons: (blob) => blob.endsWith('!'),
    domainOf: () => 'email',
    generationOf: (blob) => Number(/^g(\d)/.exec(blob)?.[1] ?? 0),
    ...more,
  })
}

/** The tree with copies shown as `copy of <file> by <agent>: <folder>`. */
function shown({ tree: files, copies }: MergeResult): Files {
  const names = new Map(copies.map((copy) => [copy.path, `copy in ${copy.path.replace(/\/[^/]*$/, '')}`]))
  return sorted(new Map([...files].map(([path, blob]) => [names.get(path) ?? path, blob])))
}

describe('a task', () => {
  it.each<[string, Zone, { base?: Files; ours?: Files; theirs?: Files }, Files]>([
    [
      'untouched stays',
      'cloud',
      { base: { [NEEDS]: 'a' }, ours: { [NEEDS]: 'a' }, theirs: { [NEEDS]: 'a' } },
      { [NEEDS]: 'a' },
    ],
    ['new here is added', 'cloud', { ours: { [NEEDS]: 'a' } }, { [NEEDS]: 'a' }],
    ['new at the hub is added', 'local', { theirs: { [NEEDS]: 'a' } }, { [NEEDS]: 'a' }],
    [
      'moved here moves',
      'cloud',
      { base: { [CLOUD]: 'a' }, ours: { [PENDING]: 'b' }, theirs: { [CLOUD]: 'a' } },
      { [PENDING]: 'b' },
    ],
    [
      'moved at the hub moves',
      'local',
      { base: { [CLOUD]: 'a' }, ours: { [CLOUD]: 'a' }, theirs: { [PENDING]: 'b' } },
      { [PENDING]: 'b' },
    ],
    [
      'moved there and edited here is both',
      'local',
      { base: { [NEEDS]: 'a' }, ours: { [NEEDS]: 'b' }, theirs: { [CLOUD]: 'a' } },
      { [CLOUD]: 'b' },
    ],
    [
      'moved by both goes to the hub’s place',
      'cloud',
      { base: { [CLOUD]: 'a' }, ours: { [PENDING]: 'b' }, theirs: { [NEEDS]: 'a' } },
      { [NEEDS]: 'b' },
    ],
    [
      'approved here while the cloud moved it stays approved',
      'local',
      { base: { [CLOUD]: 'a' }, ours: { [APPROVED]: 'b' }, theirs: { [NEEDS]: 'a' } },
      { [APPROVED]: 'b' },
    ],
    [
      'rejected here while the cloud moved it stays rejected',
      'local',
      { base: { [CLOUD]: 'a' }, ours: { [REJECTED]: 'a' }, theirs: { [PENDING]: 'a' } },
      { [REJECTED]: 'a' },
    ],
    [
      'done at the hub beats an old approval here',
      'local',
      { ours: { [APPROVED]: 'a' }, theirs: { [DONE]: 'b' } },
      { [DONE]: 'b', 'copy in Pending_Approval/email': 'a' },
    ],
    ['removed at the hub and untouched goes', 'local', { base: { [NEEDS]: 'a' }, ours: { [NEEDS]: 'a' } }, {}],
    [
      'removed at the hub but edited here stays',
      'local',
      { base: { [NEEDS]: 'a' }, ours: { [NEEDS]: 'b' } },
      { [NEEDS]: 'b' },
    ],
    [
      'removed here but moved at the hub stays',
      'local',
      { base: { [NEEDS]: 'a' }, theirs: { [CLOUD]: 'a' } },
      { [CLOUD]: 'a' },
    ],
    ['removed here and untouched there goes', 'local', { base: { [NEEDS]: 'a' }, theirs: { [NEEDS]: 'a' } }, {}],
    [
      'edited by both keeps the later and a copy of the other',
      'local',
      { base: { [NEEDS]: 'a' }, ours: { [NEEDS]: 'b' }, theirs: { [NEEDS]: 'c' } },
      { [NEEDS]: 'c', 'copy in Needs_Action/email': 'b' },
    ],
    [
      'edited by both to the same is one',
      'local',
      { base: { [NEEDS]: 'a' }, ours: { [NEEDS]: 'b' }, theirs: { [NEEDS]: 'b' } },
      { [NEEDS]: 'b' },
    ],
  ])('%s', (_, zone, sides, expected) => {
    expect(shown(merge(zone, sides))).toEqual(sorted(new Map(Object.entries(expected))))
  })

  it('edited by both goes to this side when its edit is the later one', () => {
    const sides = { base: { [NEEDS]: 'a' }, ours: { [NEEDS]: 'b' }, theirs: { [NEEDS]: 'c' } }
    const merged = merge('local', sides, { oursAt: () => ({ ms: 101, counter: 0, agent: 'local' }) })
    expect(shown(merged)).toEqual({ [NEEDS]: 'b', 'copy in Needs_Action/email': 'c' })
  })

  it('claimed at the hub stays claimed, however late it was edited here as it was before', () => {
    const sides = { base: { [NEEDS]: 'a' }, ours: { [NEEDS]: 'b' }, theirs: { [CLOUD]: 'g1claimed' } }
    const merged = merge('local', sides, { oursAt: () => ({ ms: 101, counter: 0, agent: 'local' }) })
    expect(shown(merged)).toEqual({ [CLOUD]: 'g1claimed', 'copy in Pending_Approval/email': 'b' })
  })

  it('names a copy after the agent, the time and the bytes that lost', () => {
    const [copy] = merge('local', {
      base: { [NEEDS]: 'a' },
      ours: { [NEEDS]: 'bbbbbbbbbb' },
      theirs: { [NEEDS]: 'c' },
    }).copies
    expect(copy).toEqual({
      path: `Needs_Action/email/${F.replace('.md', '.conflict-local-19700101T000000Z-bbbbbbbb.md')}`,
      blob: 'bbbbbbbbbb',
      of: NEEDS,
    })
  })
})

describe('what the person saw or decided on', () => {
  it.each<[string, Zone, { base?: Files; ours?: Files; theirs?: Files }, Files]>([
    [
      'keeps its bytes when approved here',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [APPROVED]: 'b' }, theirs: { [PENDING]: 'c' } },
      { [APPROVED]: 'b', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'keeps its bytes when approved untouched',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [APPROVED]: 'a' }, theirs: { [PENDING]: 'c' } },
      { [APPROVED]: 'a', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'keeps its bytes while local works on it',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [FROZEN]: 'a' }, theirs: { [PENDING]: 'c' } },
      { [FROZEN]: 'a', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'keeps its bytes against a late edit in the cloud',
      'cloud',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'c' }, theirs: { [APPROVED]: 'a' } },
      { [APPROVED]: 'a', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'keeps a presented card against a new draft of the cloud',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'b!' }, theirs: { [PENDING]: 'c' } },
      { [PENDING]: 'b!', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'keeps a presented card that the person broke',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'broken' }, theirs: { [PENDING]: 'c' } },
      { [PENDING]: 'broken', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'keeps a presented card in its place against another file of its name',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'b!' }, theirs: { [PENDING]: 'b!', [ELSEWHERE]: 'forgedcard!' } },
      { [PENDING]: 'b!', 'copy in Pending_Approval/email': 'forgedcard!' },
    ],
    [
      'keeps a presented card against a hub that has only another file of its name',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'b!' }, theirs: { [ELSEWHERE]: 'x' } },
      { [PENDING]: 'b!', 'copy in Pending_Approval/email': 'x' },
    ],
    [
      'keeps a presented card that the hub moved',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'b!' }, theirs: { [NEEDS]: 'x' } },
      { [PENDING]: 'b!', 'copy in Pending_Approval/email': 'x' },
    ],
    [
      'keeps a presented card that the hub has no more',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'b!' } },
      { [PENDING]: 'b!' },
    ],
    [
      'keeps a card that was just presented here in its place',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'b!' }, theirs: { [ELSEWHERE]: 'x' } },
      { [PENDING]: 'b!', 'copy in Pending_Approval/email': 'x' },
    ],
    [
      'keeps a card that the person edits against another file of its name',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'd' }, theirs: { [PENDING]: 'b!', [ELSEWHERE]: 'forgedcard!' } },
      { [PENDING]: 'd', 'copy in Pending_Approval/email': 'forgedcard!' },
    ],
    [
      'keeps what the person broke and local had synchronised',
      'local',
      { base: { [PENDING]: 'broken!' }, ours: { [PENDING]: 'broken!' }, theirs: { [PENDING]: 'x' } },
      { [PENDING]: 'broken!', 'copy in Pending_Approval/email': 'x' },
    ],
    [
      'keeps what the person wrote into a draft that was not presented yet',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'mine' }, theirs: { [PENDING]: 'c' } },
      { [PENDING]: 'mine', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'keeps a card that the person sent back',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [NEEDS]: 'r' }, theirs: { [PENDING]: 'b!', [ELSEWHERE]: 'forgedcard!' } },
      { [NEEDS]: 'r', 'copy in Needs_Action/email': 'forgedcard!' },
    ],
    [
      'keeps an approval against another file of its name',
      'local',
      {
        base: { [PENDING]: 'b!' },
        ours: { [APPROVED]: 'b!' },
        theirs: { [PENDING]: 'b!', [ELSEWHERE]: 'forgedcard!' },
      },
      { [APPROVED]: 'b!', 'copy in Pending_Approval/email': 'forgedcard!' },
    ],
    [
      'is past when the hub knows that local has done it',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'b!' }, theirs: { [DONE]: 'd' } },
      { [DONE]: 'd' },
    ],
    [
      'keeps the presented card at the hub against a new draft here',
      'cloud',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'c' }, theirs: { [PENDING]: 'b!' } },
      { [PENDING]: 'b!', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'takes the person’s edit of a presented card',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'd' }, theirs: { [PENDING]: 'b!' } },
      { [PENDING]: 'd' },
    ],
    [
      'takes a new draft that was not presented yet',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'a' }, theirs: { [PENDING]: 'c' } },
      { [PENDING]: 'c' },
    ],
  ])('%s', (_, zone, sides, expected) => {
    expect(shown(merge(zone, sides))).toEqual(sorted(new Map(Object.entries(expected))))
  })

  it.each<[string, { base?: Files; ours?: Files; theirs?: Files }, Files]>([
    ['a file that stands nowhere here', { theirs: { [APPROVED]: 'x' } }, { [PENDING]: 'x' }],
    [
      'a file that stands in Pending_Approval here',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'a' }, theirs: { [APPROVED]: 'x' } },
      { [PENDING]: 'x' },
    ],
    [
      'a file that local rejected',
      { base: { [PENDING]: 'a' }, ours: { [REJECTED]: 'a' }, theirs: { [APPROVED]: 'a' } },
      { [REJECTED]: 'a' },
    ],
  ])('is never put into the local Approved/ from the hub: %s', (_, sides, expected) => {
    expect(shown(merge('local', sides))).toEqual(expected)
  })
})

describe('a task that one side shows twice', () => {
  it.each<[string, Zone, { base?: Files; ours?: Files; theirs?: Files }, Files]>([
    [
      'stands where the hub has it when the rest is clean',
      'cloud',
      { base: { [NEEDS]: 'a', [CLOUD]: 'b' }, ours: { [NEEDS]: 'a', [CLOUD]: 'b' }, theirs: { [CLOUD]: 'b' } },
      { [CLOUD]: 'b' },
    ],
    [
      'takes an edit of the extra when the hub’s place is clean',
      'cloud',
      { base: { [CLOUD]: 'a' }, ours: { [CLOUD]: 'a', [PENDING]: 'b' }, theirs: { [CLOUD]: 'a' } },
      { [CLOUD]: 'b' },
    ],
    [
      'keeps both edits',
      'cloud',
      { base: { [CLOUD]: 'a' }, ours: { [CLOUD]: 'c', [PENDING]: 'b' }, theirs: { [CLOUD]: 'a' } },
      { [CLOUD]: 'c', 'copy in Pending_Approval/email': 'b' },
    ],
    [
      'is approved when the person copied it there',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'a', [APPROVED]: 'a' }, theirs: { [PENDING]: 'a' } },
      { [APPROVED]: 'a' },
    ],
    [
      'keeps the newer draft beside an older one that the person copied to Approved',
      'local',
      { base: { [PENDING]: 'c' }, ours: { [PENDING]: 'c', [APPROVED]: 'a' }, theirs: { [PENDING]: 'c' } },
      { [APPROVED]: 'a', 'copy in Pending_Approval/email': 'c' },
    ],
    [
      'is where it is furthest along when the hub was made to show it twice',
      'local',
      { base: { [DONE]: 'a' }, ours: { [DONE]: 'a' }, theirs: { [DONE]: 'a', [NEEDS]: 'x' } },
      { [DONE]: 'a', 'copy in Pending_Approval/email': 'x' },
    ],
    ...(['local', 'cloud'] as const).map(
      (zone): [string, Zone, { base?: Files; ours?: Files; theirs?: Files }, Files] => [
        `is where it was known to be when the hub was made to show it twice (${zone})`,
        zone,
        { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'a' }, theirs: { [PENDING]: 'a', [ELSEWHERE]: 'x' } },
        { [PENDING]: 'a', 'copy in Pending_Approval/email': 'x' },
      ],
    ),
    [
      'is done when local has done it, whatever the hub shows in its former place',
      'local',
      { base: { [PENDING]: 'b!' }, ours: { [PENDING]: 'b!' }, theirs: { [DONE]: 'd', [PENDING]: 'x' } },
      { [DONE]: 'd', 'copy in Pending_Approval/email': 'x' },
    ],
    [
      'does not leave the person’s desk because the hub also shows it in progress',
      'local',
      { base: { [PENDING]: 'a' }, ours: { [PENDING]: 'a' }, theirs: { [PENDING]: 'a', [CLOUD]: 'a' } },
      { [PENDING]: 'a' },
    ],
  ])('%s', (_, zone, sides, expected) => {
    expect(shown(merge(zone, sides))).toEqual(sorted(new Map(Object.entries(expected))))
  })
})

describe('other files', () => {
  const OWN_LOG = 'Logs/local/2026-11-20.jsonl'
  const CLOUD_LOG = 'Logs/cloud/2026-11-20.jsonl'
  const HANDBOOK = 'Company_Handbook.md'
  const UPDATE = 'Updates/cloud/01JD1ZP1CZ0000000000000000.md'
  const ANNA = 'Examples/anna at client.example.md'
  it.each<[string, { base?: Files; ours?: Files; theirs?: Files }, Files]>([
    ['an example that was added here goes to the hub', { ours: { [ANNA]: 'a' } }, { [ANNA]: 'a' }],
    ['an example that was deleted here goes', { base: { [ANNA]: 'a' }, theirs: { [ANNA]: 'a' } }, {}],
    [
      'examples of two machines are both kept',
      { ours: { [ANNA]: 'a' }, theirs: { [ANNA]: 'b' } },
      { [ANNA]: 'b', 'copy in Examples': 'a' },
    ],
    [
      'a note edited by both keeps a copy',
      { base: { [PLAN]: 'a' }, ours: { [PLAN]: 'b' }, theirs: { [PLAN]: 'c' } },
      { [PLAN]: 'c', 'copy in Plans': 'b' },
    ],
    [
      'a root note edited by both keeps its copy among the plans',
      { base: { [HANDBOOK]: 'a' }, ours: { [HANDBOOK]: 'b' }, theirs: { [HANDBOOK]: 'c' } },
      { [HANDBOOK]: 'c', 'copy in Plans': 'b' },
    ],
    [
      'the dashboard is local’s alone',
      { base: { 'Dashboard.md': 'a' }, ours: { 'Dashboard.md': 'b' }, theirs: { 'Dashboard.md': 'c' } },
      { 'Dashboard.md': 'b' },
    ],
    [
      'the own ledger is what stands here',
      { base: { [OWN_LOG]: 'a' }, ours: { [OWN_LOG]: 'b' }, theirs: { [OWN_LOG]: 'c' } },
      { [OWN_LOG]: 'b' },
    ],
    [
      'the own ledger comes back when it was removed',
      { base: { [OWN_LOG]: 'a' }, theirs: { [OWN_LOG]: 'a' } },
      { [OWN_LOG]: 'a' },
    ],
    [
      'another’s ledger is what the hub has',
      { base: { [CLOUD_LOG]: 'a' }, ours: { [CLOUD_LOG]: 'b' }, theirs: { [CLOUD_LOG]: 'a' } },
      { [CLOUD_LOG]: 'a' },
    ],
    ['an update that local merged away goes', { base: { [UPDATE]: 'a' }, theirs: { [UPDATE]: 'a' } }, {}],
  ])('%s', (_, sides, expected) => {
    expect(shown(merge('local', sides))).toEqual(sorted(new Map(Object.entries(expected))))
  })
})

describe('a key that this agent may not write', () => {
  const yielded = new Set([F])
  it('stays as it is here while the hub has nothing new', () => {
    const merged = merge(
      'cloud',
      { base: { [PENDING]: 'a' }, ours: { [APPROVED]: 'a' }, theirs: { [PENDING]: 'a' } },
      { yielded },
    )
    expect(shown(merged)).toEqual({ [PENDING]: 'a' })
    expect(merged.untouched).toEqual(new Set([F]))
  })

  it('follows the hub when that has something new, with a copy of the edit', () => {
    const merged = merge(
      'cloud',
      { base: { [PENDING]: 'a' }, ours: { [APPROVED]: 'b' }, theirs: { [DONE]: 'c' } },
      { yielded },
    )
    expect(shown(merged)).toEqual({ [DONE]: 'c', 'copy in Pending_Approval/email': 'b' })
    expect(merged.untouched).toEqual(new Set())
  })

  it.each([PENDING, APPROVED, FROZEN])('stays as it is on the person’s desk, whatever the hub has: %s', (place) => {
    const theirs = { [PENDING]: 'b!', [CLOUD]: 'x', [ELSEWHERE]: 'forgedcard!' }
    const merged = merge('local', { base: { [PENDING]: 'b!' }, ours: { [place]: 'b!' }, theirs }, { yielded })
    expect(merged.untouched).toEqual(new Set([F]))
    expect(merged.copies).toEqual([])
  })

  it('comes back when it was removed here', () => {
    const merged = merge('cloud', { base: { [CLOUD]: 'a' }, theirs: { [CLOUD]: 'a' } }, { yielded })
    expect(shown(merged)).toEqual({ [CLOUD]: 'a' })
    expect(merged.untouched).toEqual(new Set())
  })
})

// Random histories. Each edit writes new bytes; `replaced` remembers what an edit or a removal did away with on purpose.
const NAMES = [F, F.replace('7h3k9q', 'aaaaaa'), F.replace('7h3k9q', 'bbbbbb')]
const FOLDERS: Record<Zone, string[]> = {
  cloud: ['Needs_Action/email', 'In_Progress/cloud', 'Pending_Approval/email'],
  local: ['Needs_Action/email', 'Pending_Approval/email', 'Approved', 'Rejected', 'In_Progress/local', 'Done/2026-11'],
}
const step = fc.record({
  kind: fc.constantFrom('edit', 'move', 'remove', 'note', 'copy'),
  name: fc.constantFrom(...NAMES),
  folder: fc.nat({ max: 5 }),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

let blobs = 0
/** Changes a work tree as its zone's services and person would; returns what was replaced on purpose. */
function change(files: Map<VaultPath, string>, zone: Zone, { kind, name, folder }: Step): string[] {
  const fresh = `${String(++blobs).padStart(8, '0')}${folder === 0 ? '!' : ''}`
  if (kind === 'note') {
    const before = files.get(vaultPath(PLAN))
    files.set(vaultPath(PLAN), fresh)
    return before ? [before] : []
  }
  const path = [...files.keys()].find((one) => one.endsWith(`/${name}`))
  const blob = path && files.get(path)
  const target = vaultPath(at(FOLDERS[zone][folder % FOLDERS[zone].length] ?? '', name))
  if (!path || !blob) {
    files.set(vaultPath(at('Needs_Action/email', name)), fresh)
    return []
  }
  if (kind === 'edit') files.set(path, fresh)
  else if (kind === 'copy') files.set(target, blob)
  else {
    files.delete(path)
    if (kind === 'move') files.set(target, blob)
  }
  return kind === 'edit' || kind === 'remove' ? [blob] : []
}

const places = (files: ReadonlyMap<VaultPath, string>) =>
  [...files.keys()].filter((path) => !isConflictCopy(path)).map((path) => mergeKey(path))
const start = () =>
  new Map(NAMES.slice(0, 2).map((name) => [vaultPath(at('Pending_Approval/email', name)), `start-${name}`]))

/** A merge whose clocks stand still, so that it can be repeated. */
function mergeTrees(
  zone: Zone,
  base: Map<VaultPath, string>,
  ours: Map<VaultPath, string>,
  theirs: Map<VaultPath, string>,
  lead: number,
) {
  return merge(zone, {}, { base, ours, theirs, oursAt: () => ({ ms: 100 + lead, counter: 0, agent: zone }) })
}

describe('random histories', () => {
  const steps = fc.array(step, { maxLength: 6 })
  const zone = fc.constantFrom<Zone>('cloud', 'local')
  const other = (one: Zone): Zone => (one === 'cloud' ? 'local' : 'cloud')

  it('lose nothing that anyone wrote, keep one place per task, and merge again to the same', () => {
    fc.assert(
      fc.property(zone, steps, steps, fc.constantFrom(-1, 1), (mine, ourSteps, theirSteps, lead) => {
        const base = start()
        const ours = new Map(base)
        const theirs = new Map(base)
        const replaced = new Set([
          ...ourSteps.flatMap((one) => change(ours, mine, one)),
          ...theirSteps.flatMap((one) => change(theirs, other(mine), one)),
        ])
        const merged = mergeTrees(mine, base, ours, theirs, lead)
        const kept = new Set(merged.tree.values())
        for (const blob of [...ours.values(), ...theirs.values()])
          if (!replaced.has(blob) && ![...base.values()].includes(blob)) expect(kept).toContain(blob)
        expect(new Set(places(merged.tree)).size).toBe(places(merged.tree).length)
        for (const path of merged.tree.keys()) expect(path).toBe(vaultPath(path))
        for (const [path, blob] of merged.tree)
          if (mine === 'local' && path.startsWith('Approved/')) expect(ours.get(path)).toBe(blob)
        expect(mergeTrees(mine, base, ours, theirs, lead)).toEqual(merged)
        expect(sorted(mergeTrees(mine, base, ours, merged.tree, lead).tree)).toEqual(sorted(merged.tree))
        expect(sorted(mergeTrees(mine, merged.tree, merged.tree, merged.tree, lead).tree)).toEqual(sorted(merged.tree))
      }),
      { numRuns: 3_000 },
    )
  })

  it('converge: two clones that take turns end with the same files', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ zone, steps }), { maxLength: 6 }), (turns) => {
        let hub = start()
        const clones = { cloud: { base: hub, files: new Map(hub) }, local: { base: hub, files: new Map(hub) } }
        const sync = (mine: Zone) => {
          const clone = clones[mine]
          hub = mergeTrees(mine, clone.base, clone.files, hub, 1).tree
          clones[mine] = { base: hub, files: new Map(hub) }
        }
        for (const turn of turns) {
          for (const one of turn.steps) change(clones[turn.zone].files, turn.zone, one)
          if (turn.steps.length !== 1) sync(turn.zone)
        }
        for (const mine of ['cloud', 'local', 'cloud', 'local'] as const) sync(mine)
        expect(sorted(clones.cloud.files)).toEqual(sorted(hub))
        expect(sorted(clones.local.files)).toEqual(sorted(hub))
      }),
      { numRuns: 1_000 },
    )
  })
})
