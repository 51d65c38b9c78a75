import { decideTransfer, givenBackBy, type TransferVerdict } from './claim.ts'
import { isDone } from './execution.ts'
import { oneLine } from './quote.ts'
import { type TaskFile, withFront } from './task-file.ts'
import { DOMAINS, type Domain } from './vault-path.ts'
import { isLocalOnly, type Zone } from './zone-policy.ts'

export const MAX_WHY = 200

/** What is asked for when a task changes hands. */
export interface HandOver {
  /** The one agent that may claim it next; unset: any that its domain allows. */
  readonly to?: string | undefined
  /** What the task is really about; unset: it keeps its domain. */
  readonly domain?: Domain | undefined
  readonly why?: string | undefined
}

/** The front matter's `handed`, as long as the task has changed hands and is not claimed. */
export interface Handed {
  /** Who handed it over: an agent, or the person. */
  readonly from: string
  /** Its domain before. */
  readonly was: Domain
  readonly at: string
  readonly why?: string
}

/**
 * Whether a task may change hands. `hasStayed`: it was private to this machine before, whatever it says now. Nothing of a
 * local zone's own domain is ever handed to where the hub would carry it.
 */
export function decideHandOver(
  task: TaskFile,
  { to, domain = task.front.domain }: HandOver,
  facts: { readonly agents: ReadonlyMap<string, Zone>; readonly hasStayed: boolean },
): TransferVerdict {
  const { front } = task
  const isPrivate = facts.hasStayed || isLocalOnly(front.domain)
  const leaves =
    (to !== undefined && facts.agents.get(to) === 'cloud') || (domain !== front.domain && !isLocalOnly(domain))
  if (isPrivate && leaves)
    return {
      ok: false,
      rule: 'private-stays',
      say: `it is of the domain ${front.domain}, or was: what it says stays on this machine. Write what the other zone is to know in a new note in Inbox/`,
    }
  if (isDone(task)) return { ok: false, rule: 'already-done', say: 'it was done already' }
  return to === undefined ? { ok: true } : decideTransfer(domain, to, facts.agents)
}

/** The file as it goes to its next owner, with a line that says so. Throws ERR_TASK_FILE_INVALID: it has no room. */
export function handedOver(task: TaskFile, { to, domain, why }: HandOver, by: string, atIso: string): TaskFile {
  const was = task.front.domain
  const isNew = domain !== undefined && domain !== was
  const given = givenBackBy(isNew ? withFront(task, { domain }) : task, by, atIso, to)
  if (!isNew && to === undefined) return given
  const say = oneLine(why ?? '', MAX_WHY)
  const handed: Handed = { from: by, was, at: atIso, ...(say !== '' && { why: say }) }
  return withFront(given, { handed } as Parameters<typeof withFront>[1])
}

/** What a file says of its last hand-over; undefined where it says nothing that could be read. */
export function handedOf({ front }: Pick<TaskFile, 'front'>): Handed | undefined {
  const { handed } = front as { handed?: Partial<Record<keyof Handed, unknown>> }
  const { from, was, at, why } = handed ?? {}
  const domain = DOMAINS.find((one) => one === was)
  if (typeof from !== 'string' || typeof at !== 'string' || domain === undefined) return undefined
  return { from: from.slice(0, 40), was: domain, at, ...(typeof why === 'string' && { why: oneLine(why, MAX_WHY) }) }
}

/** Whose turn it is with an open task, and since when, where somebody kept it for one agent or handed it over. */
export function sayHanded(task: TaskFile): string | undefined {
  const handed = handedOf(task)
  const { for: to, domain } = task.front
  if (!handed) return to === undefined ? undefined : `kept for ${to}`
  const fault = arrivalFault(task)
  const what = handed.was === domain ? '' : ` as ${domain} (it was ${handed.was})`
  const whom = to === undefined ? '' : ` to ${to}`
  const why = handed.why === undefined ? '' : `: ${handed.why}`
  const said = `handed over${whom} by ${oneLine(handed.from, 40)}${what}, ${oneLine(handed.at, 30)}${why}`
  return fault === undefined ? said : `${said}. Not taken up: ${fault}`
}

/** Why a task that was handed over is not taken up where it arrives, in words; undefined: it may be. */
export function arrivalFault(task: TaskFile): string | undefined {
  const handed = handedOf(task)
  if (!handed) return undefined
  const { domain } = task.front
  if (isLocalOnly(handed.was) && !isLocalOnly(domain))
    return `it came out of the domain ${handed.was}, which does not leave its machine`
  if (isDone(task)) return 'it was done already'
  return undefined
}
