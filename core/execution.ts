import {
  type Action,
  type ActionLimits,
  actionDigest,
  actionFault,
  channelOf,
  partsOf,
  readAction,
  sayAction,
} from './action.ts'
import { codeFault } from './confirmation.ts'
import { type RiskFacts, risksOf } from './risk.ts'
import { type ParsedTask, type TaskFile, ticksOf } from './task-file.ts'
import { expiryOf, type TimingFacts, timingFault } from './timing.ts'
import { decideZone, type Zone } from './zone-policy.ts'

/** What this machine last put before the person (the journal's words, not the file's). `at`: ms since the epoch. */
export interface Presented {
  readonly generation: number
  /** Of the action, as its card told it. */
  readonly digest: string
  /** Whether the file is, to the letter, the one that was shown (`shownDigest`). */
  readonly isAsShown: boolean
  readonly at: number
}

/**
 * What became of a task's one use, by the journal. spent: it was done, or may be being done, or this generation of it is
 * used up. unknown: nobody can tell whether it was done, until the person says so.
 */
export type Use = 'none' | 'spent' | 'unknown'

export interface ExecutionFacts extends Pick<TimingFacts, 'predecessors' | 'acts'> {
  readonly zone: Zone
  /** HALT.md exists. */
  readonly halted: boolean
  readonly parsed: ParsedTask
  readonly presented: Presented | undefined
  readonly use: Use
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly limits: ActionLimits
  /** Why the handbook cannot be read, in words for the person. */
  readonly handbookFault: string | undefined
  /** With the handbook of this moment. */
  readonly risk: RiskFacts
}

export type ExecutionVerdict =
  | { readonly kind: 'permitted'; readonly task: TaskFile; readonly action: Action; readonly digest: string }
  /** `next`: `hold` leaves the task where it is until the reason is gone, `return` puts it before the person again. */
  | {
      readonly kind: 'refused'
      readonly rule: string
      readonly say: string
      readonly next: 'hold' | 'return'
      /** When a hold ends, ms, where that is known. */
      readonly until?: number
    }

/** A clock that stands this far (ms) before the moment of the presentation was set back. */
const CLOCK_SKEW_MS = 60_000
const ALREADY_DONE = 'This task was executed before, and nothing is done twice. Make a new task for a new mail.'

/**
 * Whether an approved task may be done now. Pure: the executor gathers the facts, obeys the verdict, and does exactly
 * `action`. `say` is a sentence for the person. Only what was shown, to the letter, may be done.
 */
export function decideExecution(facts: ExecutionFacts): ExecutionVerdict {
  const { parsed, presented, now } = facts
  if (!parsed.ok) return back('file-invalid', `This file could not be read: ${parsed.problem}.`)
  const { task } = parsed
  const zone = decideZone(facts.zone, task.front.domain, 'execute')
  if (!zone.allow) return refuse(zone.rule, 'This zone may not execute anything.', 'hold')
  if (facts.halted)
    return refuse('halted', 'HALT.md stands in the vault: nothing is executed until you remove it.', 'hold')
  if (facts.handbookFault !== undefined) return refuse('handbook-unreadable', facts.handbookFault, 'hold')
  if (facts.use === 'unknown')
    return back('outcome-unresolved', 'It may have been done already. Say first whether it was: tick one of the boxes.')
  if (facts.use === 'spent' || isDone(task)) return back('already-done', ALREADY_DONE)
  const contrary = ticksOf(task).find((tick) => tick !== 'approve')
  if (contrary)
    return back('contrary-tick', `It was approved, but the box of ${contrary} is ticked. Say which you mean.`)
  if (!presented || presented.generation !== task.front.generation)
    return back(
      'not-presented',
      'This draft, as it stands now, had not been shown to you on this machine yet. Read it, then approve it.',
    )
  if (presented.at > now + CLOCK_SKEW_MS)
    return refuse('clock-set-back', 'This machine’s clock stands before the moment the draft was shown to you.', 'hold')
  const verdict = readAction(task)
  if (!verdict.ok) return back(verdict.rule, sayAction(verdict.rule, verdict.problem, task))
  const { action } = verdict
  const digest = actionDigest(action)
  if (!presented.isAsShown || presented.digest !== digest) return back('changed-since-presented', CHANGED)
  return decideMoment(task, action, presented, facts) ?? { kind: 'permitted', task, action, digest }
}

/** Of what was shown and approved: whether this machine, the handbook and the moment allow it. */
function decideMoment(
  task: TaskFile,
  action: Action,
  presented: Presented,
  facts: ExecutionFacts,
): ExecutionVerdict | undefined {
  const { now, risk, predecessors, acts } = facts
  const { rules } = risk
  const expiry = expiryOf(task, rules, presented.at)
  if (expiry !== undefined && expiry <= now) return back('expired', sayExpired(expiry))
  const maxRecipients = Math.min(facts.limits.maxRecipients, rules.maxRecipients ?? facts.limits.maxRecipients)
  const fault =
    actionFault(action, { ...facts.limits, maxRecipients }) ??
    codeFault(task, risksOf(task, partsOf(action), risk), presented)
  if (fault) return back(fault.rule, fault.say)
  const timing = timingFault(channelOf(action.tool) ?? '', { rules, now, predecessors, acts })
  return timing && { kind: 'refused', ...timing }
}

function sayExpired(at: number): string {
  return `This draft expired at ${new Date(at).toISOString()}. Tick Redraft for a fresh one, or set a later time after "expires:" and approve it again.`
}

/** For a file that is not any more, to the letter, what was shown. */
export const CHANGED = 'The file changed after the card was made. This card shows it as it stands now: look again.'

/** Whether the file itself says that it was executed: a lost journal must not make it forgotten. */
export function isDone(task: TaskFile): boolean {
  return task.front.outcome?.status === 'done'
}

function back(rule: string, say: string): ExecutionVerdict {
  return refuse(rule, say, 'return')
}

function refuse(rule: string, say: string, next: 'hold' | 'return'): ExecutionVerdict {
  return { kind: 'refused', rule, say, next }
}
