import { arrivalFault, handedOf, sayHanded } from './hand-over.ts'
import { shortId, type TaskId } from './ids.ts'
import type { TaskFile } from './task-file.ts'
import { placeOf, type VaultPath } from './vault-path.ts'
import { isLocalOnly, type Zone } from './zone-policy.ts'

/** A task as its file stands now. */
export interface Step {
  readonly id: TaskId
  readonly path: VaultPath
  readonly title: string
  readonly parent: string | undefined
  readonly after: readonly string[]
  /** Of a domain that never leaves this machine: the plan says neither its title nor its name. */
  readonly isPrivate: boolean
  /** Whose turn it is. */
  readonly zone: Zone | 'you'
  readonly state: StepState
  /** In words; no stranger's. */
  readonly say: string
  /** An open task that was handed over: by whom, to whom and why. */
  readonly handed: string | undefined
}

export type StepState = 'open' | 'drafting' | 'waiting' | 'approved' | 'done' | 'ended'

/** One request of several steps, in the order in which they are done. */
export interface Plan {
  /** The task that all of it came from, or the first that is known. */
  readonly root: TaskId
  readonly title: string
  readonly steps: readonly PlannedStep[]
  readonly isOver: boolean
}

export interface PlannedStep extends Step {
  /** Why it cannot go on: what it waits for ended without being done, or waits for it. */
  readonly stopped?: string
}

const MAX_STEPS = 50

export function stepOf(path: VaultPath, task: TaskFile): Step {
  const { id, title, parent, after = [], domain } = task.front
  const place = placeOf(path)
  const was = handedOf(task)?.was
  const isPrivate =
    isLocalOnly(domain) || (was !== undefined && isLocalOnly(was)) || ('domain' in place && isLocalOnly(place.domain))
  const handed = place.kind === 'needs-action' && handedOf(task) ? sayHanded(task) : undefined
  return { id, path, title, parent, after, isPrivate, handed, ...standingOf(path, task) }
}

function standingOf(path: VaultPath, task: TaskFile): Pick<Step, 'zone' | 'state' | 'say'> {
  const place = placeOf(path)
  const { domain, outcome, for: keptFor } = task.front
  const own = isLocalOnly(domain) ? 'local' : 'cloud'
  switch (place.kind) {
    case 'needs-action': {
      const fault = arrivalFault(task)
      if (fault !== undefined) return { zone: 'you', state: 'open', say: `handed over, and not taken up: ${fault}` }
      return { zone: own, state: 'open', say: keptFor === undefined ? 'not taken up yet' : `kept for ${keptFor}` }
    }
    case 'in-progress':
      return task.front.action === undefined
        ? { zone: own, state: 'drafting', say: `${place.agent} works on it` }
        : { zone: 'local', state: 'approved', say: 'approved, on its way' }
    case 'pending':
      return { zone: 'you', state: 'waiting', say: 'waits for you' }
    case 'approved':
      return { zone: 'local', state: 'approved', say: 'approved' }
    case 'done':
      return outcome?.status === 'done'
        ? { zone: 'local', state: 'done', say: 'done' }
        : { zone: 'local', state: 'ended', say: 'ended without being done' }
    default:
      return { zone: 'local', state: 'ended', say: 'rejected' }
  }
}

/** The ids that a step names: what it came from, and what must be done before it. */
export function namedBy({ parent, after }: Pick<Step, 'parent' | 'after'>): string[] {
  return [...(parent === undefined ? [] : [parent]), ...after]
}

/** The plans that these tasks make: those that came from each other, or wait for each other, two at least. */
export function plansOf(steps: readonly Step[]): Plan[] {
  const byId = new Map<string, Step>(steps.map((step) => [step.id, step]))
  const groupOf = new Map<string, string>()
  const find = (id: string): string => {
    let top = id
    for (let next = groupOf.get(top); next !== undefined && next !== top; next = groupOf.get(top)) top = next
    return top
  }
  for (const step of byId.values())
    for (const other of namedBy(step))
      if (byId.has(other) && find(other) !== find(step.id)) groupOf.set(find(step.id), find(other))
  const groups = Map.groupBy(byId.values(), (step) => find(step.id))
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map(planOf)
    .sort((a, b) => (a.root < b.root ? -1 : 1))
}

function planOf(group: readonly Step[]): Plan {
  const byId = new Map<string, Step>(group.map((step) => [step.id, step]))
  const isRoot = (step: Step) => step.parent === undefined || !byId.has(step.parent)
  const byAge = [...group].sort((a, b) => (a.id < b.id ? -1 : 1))
  const root = byAge.find((step) => isRoot(step) && group.some(({ parent }) => parent === step.id)) ?? byAge[0]
  const steps = inOrder(byAge, byId).slice(0, MAX_STEPS)
  return {
    root: (root as Step).id,
    title: root?.isPrivate ? '' : (root?.title ?? ''),
    steps: steps.map((step) => ({ ...step, ...stoppedBy(step, byId) })),
    isOver: steps.every(({ state }) => state === 'done' || state === 'ended'),
  }
}

/** Each after what it waits for; those that wait for each other come last, as they are. */
function inOrder(steps: readonly Step[], byId: ReadonlyMap<string, Step>): Step[] {
  const ordered: Step[] = []
  const placed = new Set<string>()
  const isFree = (step: Step) => step.after.every((one) => placed.has(one) || !byId.has(one))
  for (let open = [...steps]; open.length > 0; ) {
    const [next = open[0] as Step] = open.filter(isFree)
    ordered.push(next)
    placed.add(next.id)
    open = open.filter((one) => one !== next)
  }
  return ordered
}

function stoppedBy(step: Step, byId: ReadonlyMap<string, Step>): { stopped?: string } {
  if (step.state === 'done' || step.state === 'ended') return {}
  if (leadsTo(step, step.id, byId)) return { stopped: 'it waits for itself in a circle: take one task out of "after:"' }
  const ended = endedBefore(step, byId, new Set())
  return ended === undefined
    ? {}
    : { stopped: `what it was to follow (${shortId(ended.id)}) was not done: ${ended.say}` }
}

function leadsTo(start: Step, target: string, byId: ReadonlyMap<string, Step>): boolean {
  const looked = new Set<string>()
  const open = [...start.after]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === target) return true
    if (looked.has(next)) continue
    looked.add(next)
    open.push(...(byId.get(next)?.after ?? []))
  }
  return false
}

function endedBefore(step: Step, byId: ReadonlyMap<string, Step>, looked: Set<string>): Step | undefined {
  for (const id of step.after) {
    const before = byId.get(id)
    if (before === undefined || looked.has(id)) continue
    looked.add(id)
    if (before.state === 'ended') return before
    const further = before.state === 'done' ? undefined : endedBefore(before, byId, looked)
    if (further) return further
  }
  return undefined
}

/** Where a plan stands, in a few words for a list. */
export function progressOf({ steps, isOver }: Plan): string {
  const done = steps.filter(({ state }) => state === 'done').length
  const all = `${done} of ${steps.length} steps done`
  if (isOver) return done === steps.length ? 'done' : `over; ${all}`
  const stopped = steps.find((step) => step.stopped !== undefined)
  if (stopped) return `${all}; stopped: ${stopped.stopped}`
  const next = steps.find(({ state }) => state !== 'done' && state !== 'ended')
  return next ? `${all}; next: step ${steps.indexOf(next) + 1}, ${next.say}` : all
}
