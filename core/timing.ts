import type { HandbookRules } from './handbook-rules.ts'
import { quietUntil } from './quiet-hours.ts'
import type { TaskFile } from './task-file.ts'

/**
 * A task that must be done first. waiting: somewhere on its way. ended: rejected, or over without having been done.
 * gone: nowhere. circle: it waits, by whatever way, for the task that waits for it.
 */
export interface Predecessor {
  readonly id: string
  readonly state: 'done' | 'waiting' | 'ended' | 'gone' | 'circle'
}

export interface TimingFacts {
  readonly rules: HandbookRules
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Of `front.after`. */
  readonly predecessors: readonly Predecessor[]
  /** When the channel acted lately (ms), in any order; what is older than the longest pace may be left out. */
  readonly acts: readonly number[]
}

/** Why a task is not done now. `until`: when that ends (ms), where it is known. */
export interface TimingFault {
  readonly rule: string
  readonly say: string
  readonly next: 'hold' | 'return'
  readonly until?: number
}

/** Why this is not the moment: something has to be done first, quiet hours, or too much was done of late. */
export function timingFault(channel: string, facts: TimingFacts): TimingFault | undefined {
  return orderFault(facts.predecessors) ?? quietFault(facts) ?? paceFault(channel, facts)
}

/** When a draft expires (ms): as its file says, else by the handbook, counted from when it was drafted or shown. */
export function expiryOf(task: TaskFile, rules: HandbookRules, presentedAt: number): number | undefined {
  const { expires, drafted, created, domain } = task.front
  if (expires !== undefined) return Date.parse(expires)
  const after = rules.expiry[domain]
  // What the file says of its age came from elsewhere; that it was shown is known.
  return after === undefined ? undefined : Math.min(Date.parse(drafted?.at ?? created), presentedAt) + after
}

/** The longest time (ms) that the paces of a channel look back. */
export function paceWindow(channel: string, rules: HandbookRules): number {
  return Math.max(0, ...rules.pace.filter((pace) => pace.channel === channel).map(({ windowMs }) => windowMs))
}

function orderFault(predecessors: readonly Predecessor[]): TimingFault | undefined {
  const first = (state: Predecessor['state']) => predecessors.find((one) => one.state === state)?.id
  const circle = first('circle')
  if (circle !== undefined)
    return back(
      'after-circle',
      `This task waits for ${circle}, which waits for this one. Take one of them out of "after:".`,
    )
  const ended = first('ended')
  if (ended !== undefined)
    return back(
      'after-ended',
      `This task was to follow ${ended}, which was not done. Decide anew; take it out of "after:" to go on without it.`,
    )
  const gone = first('gone')
  if (gone !== undefined)
    return back(
      'after-gone',
      `This task was to follow ${gone}, and no such task is in this vault. Take it out of "after:" to go on without it.`,
    )
  const waiting = first('waiting')
  if (waiting === undefined) return undefined
  return { rule: 'after-waiting', say: `It goes out once ${waiting} is done.`, next: 'hold' }
}

function quietFault({ rules, now }: TimingFacts): TimingFault | undefined {
  const until = quietUntil(rules.quiet, now)
  if (until === undefined) return undefined
  if (!Number.isFinite(until))
    return {
      rule: 'quiet-hours',
      say: 'By your handbook every hour of the week is quiet: nothing goes out.',
      next: 'hold',
    }
  return { rule: 'quiet-hours', say: `Quiet hours: it goes out after ${sayTime(until)}.`, next: 'hold', until }
}

/** The moment at which so many of the acts lie outside the window that one more fits. */
function paceFault(channel: string, { rules, now, acts }: TimingFacts): TimingFault | undefined {
  const holds = rules.pace
    .filter((pace) => pace.channel === channel)
    .flatMap(({ count, windowMs }) => {
      const within = acts.filter((at) => at > now - windowMs).sort((a, b) => b - a)
      const oldest = within[count - 1]
      return oldest === undefined ? [] : [oldest + windowMs]
    })
  if (holds.length === 0) return undefined
  const until = Math.max(...holds)
  return {
    rule: 'pace',
    say: `Your handbook allows no more for now: it goes out after ${sayTime(until)}.`,
    next: 'hold',
    until,
  }
}

function back(rule: string, say: string): TimingFault {
  return { rule, say, next: 'return' }
}

/** To the second, so that what is said never lies in the past of what is done. */
function sayTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
