import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkCommit, type FileChange } from './path-ownership.ts'
import { parseTaskFile, ticksOf } from './task-file.ts'
import { canMove, type Mover } from './task-state.ts'
import { folderOf, isTaskPlace, placeOf, type TaskPlace, type VaultPath, vaultPath } from './vault-path.ts'

const CLOUDS: readonly Mover[] = ['cloud', 'cloud-b'].map((agent) => ({ zone: 'cloud', agent }))
const EVERYBODY: readonly Mover[] = [...CLOUDS, { zone: 'local', agent: 'local' }, 'person']
const PLACES: readonly TaskPlace[] = [
  { kind: 'needs-action', domain: 'email' },
  { kind: 'needs-action', domain: 'payment' },
  { kind: 'in-progress', agent: 'cloud' },
  { kind: 'in-progress', agent: 'cloud-b' },
  { kind: 'in-progress', agent: 'local' },
  { kind: 'pending', domain: 'email' },
  { kind: 'pending', domain: 'payment' },
  { kind: 'approved' },
  { kind: 'rejected' },
  { kind: 'done', month: '2026-11' },
]
const isLocals = (place: TaskPlace) =>
  ['approved', 'rejected', 'done'].includes(place.kind) || (place.kind === 'in-progress' && place.agent === 'local')

/** Every place that some sequence of these movers' moves leads to. */
function reachable(from: TaskPlace, movers: readonly Mover[]): readonly TaskPlace[] {
  const found = [PLACES.find((place) => folderOf(place) === folderOf(from)) ?? from]
  for (const place of found)
    for (const next of PLACES)
      if (!found.includes(next) && movers.some((mover) => canMove(place, next, mover))) found.push(next)
  return found
}

describe('the moves of a task', () => {
  it('by the cloud alone, however many agents it has, never lead to a decision or to what local executes', () => {
    for (const from of PLACES.filter((place) => !isLocals(place)))
      expect(reachable(from, CLOUDS).filter(isLocals)).toEqual([])
  })

  it('by the cloud alone take nothing out of where local has put it', () => {
    for (const from of PLACES.filter(isLocals)) expect(reachable(from, CLOUDS)).toEqual([from])
  })

  it('lead to Done from everywhere, so that no task is stuck', () => {
    for (const from of PLACES) expect(reachable(from, EVERYBODY)).toContainEqual({ kind: 'done', month: '2026-11' })
  })

  it('lead nowhere from Done', () => {
    expect(reachable({ kind: 'done', month: '2026-11' }, EVERYBODY)).toHaveLength(1)
  })

  it('reach Done only out of what local executes, and that only out of an approval or an open task', () => {
    const origins = (to: TaskPlace) =>
      PLACES.filter((from) => folderOf(from) !== folderOf(to) && EVERYBODY.some((mover) => canMove(from, to, mover)))
    const local: TaskPlace = { kind: 'in-progress', agent: 'local' }
    expect(origins({ kind: 'done', month: '2026-11' })).toEqual(expect.arrayContaining([local]))
    expect(new Set(origins({ kind: 'done', month: '2026-11' }).map(({ kind }) => kind))).toEqual(
      new Set(['in-progress']),
    )
    expect(new Set(origins(local).map(({ kind }) => kind))).toEqual(new Set(['needs-action', 'approved']))
  })

  it('of an agent never touch what another agent has', () => {
    for (const from of PLACES)
      for (const to of PLACES)
        for (const mover of CLOUDS)
          if (from !== to && canMove(from, to, mover))
            for (const place of [from, to])
              if (place.kind === 'in-progress') expect(mover).toMatchObject({ agent: place.agent })
  })
})

// Whoever holds the cloud's keys: any changes at all, as long as the ownership table lets each commit pass.
const NAMES = ['7h3k9q', '8j4m0r'].map((end) => `EMAIL_2026-11-20_task_${end}.md`)
const FOLDERS = [
  ...['Needs_Action/email', 'Needs_Action/payment', 'In_Progress/cloud', 'In_Progress/cloud-b', 'In_Progress/local'],
  ...['Pending_Approval/email', 'Pending_Approval/payment', 'Approved', 'Rejected', 'Done/2026-11'],
]
const seldom = fc.nat({ max: 7 }).map((dice) => dice === 0)
/** One change, honest in most of its parts: of a task where it stands, into a folder or away, with its generation moved. */
const step = fc.record({
  name: fc.constantFrom(...NAMES),
  folder: fc.constantFrom(...FOLDERS),
  /** Changed where it stands, whatever the folder. */
  isStill: fc.boolean(),
  isCopy: seldom,
  isRemoved: seldom,
  by: fc.constantFrom(-1, 0, 0, 1, 1, 2),
  domain: fc.constantFrom('email', 'email', 'email', 'payment'),
  isPresented: seldom,
  isTicked: seldom,
  isBroken: seldom,
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
const commit = fc.record({
  agent: fc.constantFrom('cloud', 'cloud-b'),
  steps: fc.array(step, { minLength: 1, maxLength: 2 }),
})

const generationIn = (text: string | undefined) => Number(/generation: "(\d+)/.exec(text ?? '')?.[1] ?? 0)

function textOf(
  { name, domain, by, isPresented, isTicked, isBroken }: Pick<Step, 'name' | keyof typeof HONEST>,
  before: string | undefined,
): string {
  return [
    '---',
    `id: 01K9ZZZZZZZZZZZZZZZZ${name.slice(-9, -3).toUpperCase()}`,
    isBroken ? 'schema: [' : 'schema: "1"',
    ...['kind: EMAIL', `domain: ${domain}`, 'title: x', 'created: "2026-11-20T10:00:00Z"'],
    `generation: "${Math.max(0, generationIn(before) + by)}"`,
    ...(isPresented ? ['presented:', '  digest: sha256:aa', '  at: "2026-11-20T10:00:00Z"'] : []),
    ...[
      '---',
      '<!-- countersign:decision -->',
      `- [${isTicked ? 'x' : ' '}] Approve`,
      '<!-- countersign:/decision -->',
    ],
    '',
  ].join('\n')
}

/** What the steps make of a tree; null: removed. */
function changesOf(steps: readonly Step[], tree: ReadonlyMap<VaultPath, string>): Map<VaultPath, string | null> {
  const changes = new Map<VaultPath, string | null>()
  for (const one of steps) {
    const from = [...tree.keys()].find((path) => path.endsWith(`/${one.name}`))
    const to = from && one.isStill ? from : vaultPath(`${one.folder}/${one.name}`)
    if (from && !one.isCopy) changes.set(from, null)
    if (!one.isRemoved) changes.set(to, textOf(one, from && tree.get(from)))
  }
  return changes
}

const HONEST = { domain: 'email', by: 1, isPresented: false, isTicked: false, isBroken: false } as const
/** Where two tasks stand at first, and what is tried with them. */
const story = fc.tuple(
  fc.constantFrom('Needs_Action/email', 'In_Progress/cloud', 'In_Progress/cloud-b', 'Pending_Approval/email'),
  fc.constantFrom('Needs_Action/email', 'In_Progress/cloud-b'),
  fc.array(commit, { minLength: 1, maxLength: 25 }),
)

describe('commits of the cloud that the ownership table lets pass', () => {
  const bytes = (content: string | null | undefined) => (content ? Buffer.from(content) : undefined)
  /** The tree after each commit that may enter. */
  function* accepted([first, second, commits]: readonly [
    string,
    string,
    readonly { agent: string; steps: readonly Step[] }[],
  ]) {
    let tree = new Map(
      [first, second].map((folder, at) => {
        const name = NAMES[at] ?? ''
        return [vaultPath(`${folder}/${name}`), textOf({ ...HONEST, name }, undefined)]
      }),
    )
    for (const { agent, steps } of commits) {
      const changes = changesOf(steps, tree)
      const files = [...changes].map(
        ([path, after]): FileChange => ({
          ...{ path, mode: after === null ? undefined : '100644' },
          ...{ before: bytes(tree.get(path)), after: bytes(after) },
        }),
      )
      if (files.length === 0 || checkCommit({ agent, zone: 'cloud' }, files, [...tree.keys()]).length > 0) continue
      const next = new Map(tree)
      for (const [path, after] of changes) {
        if (after === null) next.delete(path)
        else next.set(path, after)
      }
      yield { before: tree, after: next, agent }
      tree = next
    }
  }

  it('never decide, never show anything as presented or ticked, and keep one place for each task', () => {
    let entered = 0
    fc.assert(
      fc.property(story, (one) => {
        for (const { before, after, agent } of accepted(one)) {
          entered += 1
          const places = [...after.keys()].map((path) => placeOf(path)).filter(isTaskPlace)
          expect(places.filter(isLocals)).toEqual([])
          const names = [...after.keys()].map((path) => path.split('/').at(-1))
          expect(new Set(names).size).toBe(names.length)
          for (const [path, content] of after) {
            if (before.get(path) === content) continue
            const parsed = parseTaskFile(content)
            if (!parsed.ok) throw new Error(`${agent} brought what nobody can read to ${path}`)
            expect([parsed.task.front.presented, ticksOf(parsed.task)]).toEqual([undefined, []])
          }
        }
      }),
      { numRuns: 3_000 },
    )
    // Random changes are seldom proper ones; enough of them were.
    expect(entered).toBeGreaterThan(500)
  })

  it('never take a generation back, and never touch what another agent has', () => {
    const generations = (tree: ReadonlyMap<VaultPath, string>) =>
      new Map(
        [...tree].map(([path, content]) => [path.split('/').at(-1), Number(/generation: "(\d+)/.exec(content)?.[1])]),
      )
    fc.assert(
      fc.property(story, (one) => {
        for (const { before, after, agent } of accepted(one)) {
          const was = generations(before)
          for (const [name, generation] of generations(after))
            expect(generation).toBeGreaterThanOrEqual(was.get(name) ?? 0)
          for (const path of new Set([...before.keys(), ...after.keys()]))
            if (path.startsWith('In_Progress/') && before.get(path) !== after.get(path))
              expect(path).toMatch(new RegExp(`^In_Progress/${agent}/`))
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
