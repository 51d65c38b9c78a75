import { type Action, actionDigest, INVISIBLE, readAction } from './action.ts'
import { domainDigest } from './canonical-json.ts'
import { hiddenMarkup, sayHidden } from './hidden-markup.ts'
import type { ParsedTask, TaskFile } from './task-file.ts'
import { decideZone, type Zone } from './zone-policy.ts'

/** What this machine last put before the person (the journal's words, not the file's). `at`: ms since the epoch. */
export interface Presented {
  readonly generation: number
  readonly envelope: string
  readonly at: number
}

export interface ExecutionFacts {
  readonly zone: Zone
  /** HALT.md exists. */
  readonly halted: boolean
  readonly parsed: ParsedTask
  readonly presented: Presented | undefined
  /** The journal says that the task, or this generation of it, has had its one use. */
  readonly isSpent: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The address this machine may send from. */
  readonly account: string
  readonly maxRecipients: number
}

export type ExecutionVerdict =
  | { readonly kind: 'permitted'; readonly task: TaskFile; readonly action: Action; readonly digest: string }
  /** `next`: `hold` leaves the task where it is until the reason is gone, `return` puts it before the person again. */
  | { readonly kind: 'refused'; readonly rule: string; readonly say: string; readonly next: 'hold' | 'return' }

/** A clock that stands this far (ms) before the moment of the presentation was set back. */
const CLOCK_SKEW_MS = 60_000
/** What a template leaves for the person to fill in: {{name}} or [[name]]. */
const PLACEHOLDER = /\{\{[^{}\n]{0,80}\}\}|\[\[[^[\]\n]{1,80}\]\]/
const ALREADY_DONE = 'This task was executed before, and nothing is done twice. Make a new task for a new mail.'
/** Bidirectional overrides and tag characters in the text: they make a reader see something else than what is there. */
const DECEPTIVE = /[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u

/**
 * Whether an approved task may be done now. Pure: the executor gathers the facts, obeys the verdict, and does exactly
 * `action`. `say` is a sentence for the person. A draft's text may differ from what was presented (the person edited
 * it); everything else may not.
 */
export function decideExecution(facts: ExecutionFacts): ExecutionVerdict {
  const { parsed, presented, now } = facts
  if (!parsed.ok) return back('file-invalid', `This file could not be read: ${parsed.problem}.`)
  const { task } = parsed
  const zone = decideZone(facts.zone, task.front.domain, 'execute')
  if (!zone.allow) return refuse(zone.rule, 'This zone may not execute anything.', 'hold')
  if (facts.halted)
    return refuse('halted', 'HALT.md stands in the vault: nothing is executed until you remove it.', 'hold')
  if (facts.isSpent || isDone(task)) return back('already-done', ALREADY_DONE)
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
  if (envelopeDigest(action) !== presented.envelope) {
    return back(
      'changed-since-presented',
      'Recipients, subject or thread changed after the card was made. It shows the new ones now: look again.',
    )
  }
  if (task.front.expires !== undefined && Date.parse(task.front.expires) <= now) {
    return back(
      'expired',
      `This draft expired at ${task.front.expires}. Tick Redraft for a fresh one, or set a later time after "expires:" and approve it again.`,
    )
  }
  return decideContent(task, action, facts)
}

/** Whether the file itself says that it was executed: a lost journal must not make it forgotten. */
export function isDone(task: TaskFile): boolean {
  return task.front.outcome?.status === 'done'
}

/** The digest of everything but the text a person may edit: sender, recipients, subject, thread. */
export function envelopeDigest(action: Action): string {
  const { body: _, ...envelope } = action
  return domainDigest('countersign/envelope/v1', envelope)
}

function decideContent(task: TaskFile, action: Action, facts: ExecutionFacts): ExecutionVerdict {
  if (action.account !== facts.account)
    return back('account-unknown', `This machine sends from ${facts.account} only, not from ${action.account}.`)
  const recipientCount = action.to.length + action.cc.length
  if (recipientCount > facts.maxRecipients)
    return back('too-many-recipients', `${recipientCount} recipients; at most ${facts.maxRecipients} are allowed.`)
  const placeholder = PLACEHOLDER.exec(action.body)?.[0]
  if (placeholder !== undefined)
    return back('placeholder-left', `The draft still contains a place to fill in: ${placeholder}`)
  const hidden = DECEPTIVE.exec(action.body)?.[0]
  if (hidden !== undefined)
    return back('draft-hidden-characters', `The draft contains an invisible character (${codePoint(hidden)}).`)
  const unseen = hiddenMarkup(action.body)
  if (unseen) return back('draft-hidden-text', sayHidden(unseen))
  return { kind: 'permitted', task, action, digest: actionDigest(action) }
}

/** The action schema's rules (`readAction`) in words for the person. */
export function sayAction(rule: string, problem: string, task: TaskFile): string {
  const field = rule.replace(/^action-/, '')
  const raw = task.front.action?.[field]
  const hidden = INVISIBLE.exec([raw].flat().join(''))?.[0]
  if (hidden !== undefined && field !== 'body')
    return `The field "${field}" contains an invisible or control character (${codePoint(hidden)}). Type it anew.`
  if (field === 'missing') return 'This file says nothing that could be done: its action is missing.'
  if (field === 'body' && problem.includes('empty')) return 'The draft is empty: there is nothing to send.'
  if (field === 'to' && (raw === undefined || (Array.isArray(raw) && raw.length === 0)))
    return 'The mail has no recipient.'
  return `The action cannot be carried out as it stands: ${problem}.`
}

function codePoint(text: string): string {
  return `U+${text.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`
}

function back(rule: string, say: string): ExecutionVerdict {
  return refuse(rule, say, 'return')
}

function refuse(rule: string, say: string, next: 'hold' | 'return'): ExecutionVerdict {
  return { kind: 'refused', rule, say, next }
}
