import { section, type TaskFile, ticksOf, withFront, withSection } from './task-file.ts'
import type { Domain, Place } from './vault-path.ts'
import { decideZone, type Zone } from './zone-policy.ts'

const MAX_HISTORY = 30

/** Whether a zone may claim what stands at this place at all: in Needs_Action, and its zone's domain. */
export function isClaimable(place: Place, zone: Zone): boolean {
  return place.kind === 'needs-action' && decideZone(zone, place.domain, 'claim').allow
}

/** Whether an agent may claim a task that is claimable for its zone: `for` names the one agent that it was kept for. */
export function mayClaim({ front }: Pick<TaskFile, 'front'>, agent: string): boolean {
  return front.for === undefined || front.for === agent
}

/**
 * Whether an agent claims a task without having been asked to. The cloud takes up what nobody owns; local only what was
 * kept for it. What an agent gave back by itself is for others, or for the person's word.
 */
export function takesUp(task: TaskFile, agent: string, zone: Zone): boolean {
  if (task.front.for !== undefined) return task.front.for === agent
  return zone === 'cloud' && !gaveBack(task, agent)
}

/**
 * The file as its new owner: generation + 1 (the fencing number: whoever works under an older one has lost) and a
 * line of history. Of a card that came back it keeps neither the mark of having been shown nor a ticked box nor the
 * action: the first two are the local zone's, the last is made anew. It becomes a claim only when the hub has accepted
 * the push that moves it.
 */
export function claimedBy(task: TaskFile, agent: string, atIso: string): TaskFile {
  const patch = { generation: task.front.generation + 1, action: undefined, for: undefined }
  const claimed = withFront(undecided(task), patch)
  return withHistory(claimed, `In_Progress/${agent}`, agent, atIso)
}

/**
 * The file as it goes back to Needs_Action, by its owner or by the person: generation + 1, so that a worker who does not
 * know finds that it lost. `keptFor` names the one agent that may claim it next.
 */
export function givenBackBy(task: TaskFile, by: string, atIso: string, keptFor?: string): TaskFile {
  const released = withFront(task, { generation: task.front.generation + 1, for: keptFor })
  return withHistory(released, `Needs_Action/${task.front.domain}`, by, atIso)
}

/** A task that the executor has picked up from Approved/ is no claim: only moving it back undoes that. */
export function isBeingExecuted(task: TaskFile): boolean {
  return task.front.action !== undefined && section(task, 'card') !== undefined
}

export type TransferVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly rule: string; readonly say: string }

/** Whether a task of this domain can be kept for an agent. */
export function decideTransfer(domain: Domain, to: string, agents: ReadonlyMap<string, Zone>): TransferVerdict {
  const zone = agents.get(to)
  if (zone === undefined) {
    const known = [...agents.keys()].sort().join(', ')
    return { ok: false, rule: 'agent-unknown', say: `no agent ${to} is known here; there are: ${known}` }
  }
  const decision = decideZone(zone, domain, 'claim')
  if (decision.allow) return { ok: true }
  return { ok: false, rule: decision.rule, say: `${to} is of the ${zone} zone, which may not claim ${domain} tasks` }
}

/** The file without what only the local zone may say in it: that it was put before the person, or what they ticked. */
export function undecided(task: TaskFile): TaskFile {
  const unticked = ticksOf(task).length > 0 ? withSection(task, 'decision', '') : task
  return task.front.presented ? withFront(unticked, { presented: undefined }) : unticked
}

/** The file with one more line of history (the oldest go beyond 30). */
export function withHistory(task: TaskFile, state: string, agent: string, atIso: string): TaskFile {
  return withFront(task, { history: [...task.front.history, { state, agent, at: atIso }].slice(-MAX_HISTORY) })
}

/** Whether an agent gave a task back before: if it holds it now, somebody asked it to. */
export function wasGivenBack({ front }: TaskFile, agent: string): boolean {
  return front.history.some((one) => one.agent === agent && one.state.startsWith('Needs_Action/'))
}

/** Whether an agent was the last to hold a task, and gave it back by itself. */
export function gaveBack({ front }: TaskFile, agent: string): boolean {
  const [owned, last] = front.history.slice(-2)
  return last?.agent === agent && last.state.startsWith('Needs_Action/') && owned?.state === `In_Progress/${agent}`
}
