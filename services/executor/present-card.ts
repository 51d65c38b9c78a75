import { type Action, type ActionVerdict, actionDigest, partsOf, sayAction } from '#core/action.ts'
import { type CardFacts, renderCard } from '#core/card.ts'
import type { DraftChanges } from '#core/card-changes.ts'
import { confirmationCode } from '#core/confirmation.ts'
import { revised } from '#core/draft-revision.ts'
import { CountersignError } from '#core/errors.ts'
import { isDone } from '#core/execution.ts'
import { toldUntil } from '#core/freshness.ts'
import { claimsOf, groundingRisks } from '#core/grounding-card.ts'
import { answeredNotes, restoredNotes } from '#core/notes-to-drafter.ts'
import { paymentRulesFault } from '#core/payment-rules.ts'
import type { DraftMemory, Presentation, SentBack } from '#core/ports/journal.ts'
import { renderOutcomeCard, renderProblemCard } from '#core/problem-card.ts'
import { isBeforeRestore, sayLookFirst } from '#core/restore-epoch.ts'
import { needsCode, type Risk, type RiskFacts, risksOf } from '#core/risk.ts'
import { sayKnownPayee } from '#core/risk-payment.ts'
import { shownDigest } from '#core/shown.ts'
import { draftOf, renderTaskFile, section, type TaskFile, withFront, withSection } from '#core/task-file.ts'
import { expiryOf } from '#core/timing.ts'
import { fileNameOf, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'
import { sayUnknown } from './finish-execution.ts'
import type { Knowledge } from './knowledge.ts'
import { folderOf, type Read } from './read-task.ts'
import { explain } from './refuse-file.ts'

/** What stands in place of a digest when there is nothing to approve. */
export const NO_ACTION = 'none'

/** Why a card is made, and of what. */
export interface Why {
  readonly action: ActionVerdict
  /** What was presented last for the task. */
  readonly last: Presentation | undefined
  /** Why it is back. */
  readonly back: SentBack | undefined
  /** Nobody can tell whether it was done: the card asks. */
  readonly isInDoubt: boolean
  /** What else is to be said. */
  readonly say: string | undefined
}

/**
 * Journal, file, journal: a decision on a card counts from the moment the card can be seen, whenever we die. That the
 * reason it was sent back for is told, and that all its words are ours, is believed only of a card that was surely written.
 */
export async function present(
  path: VaultPath,
  read: Read,
  task: TaskFile,
  why: Why,
  deps: ExecutorDeps,
): Promise<undefined> {
  const at = deps.clock.now()
  const { action, last, back } = why
  const isKnown = last !== undefined || back !== undefined
  if (isKnown && !deps.isQuiet(path, read.text)) return
  const isOwnText = isOurs(path, read, last)
  const digest = action.ok ? actionDigest(action.action) : NO_ACTION
  const draft = action.ok && !why.isInDoubt ? remember(task, read, deps) : undefined
  const rendered = render(task, { isOwnText, digest, draft }, why, at, await deps.knowledge(), deps)
  if (rendered instanceof CountersignError)
    return explain(
      path,
      read.text,
      { rule: 'card-impossible', say: sayImpossible(rendered), task: task.front.id },
      deps,
    )
  const { text, generation } = rendered
  const card = {
    ...{ taskId: task.front.id, fileName: fileNameOf(path), folder: folderOf(path), received: read.received },
    ...{ generation, digest, shown: shownDigest(text), at },
  }
  deps.journal.presenting({ ...card, isOwnText }, draft)
  if ((await deps.vault.replaceIf(path, read.text, text)) !== 'replaced') {
    // The person may have saved meanwhile: then this card is out of date, and the change is on its way to us.
    if (last?.stands) deps.journal.presenting(last)
    else deps.journal.unpresent(fileNameOf(path))
    return
  }
  // Only a card of an action drops the words of others; one that asks or explains keeps the whole note.
  deps.journal.present({ ...card, isOwnText: isOwnText || (action.ok && !why.isInDoubt) })
  await deps.ledger.append('draft.presented', {
    task: task.front.id,
    data: { digest, generation, ...(!action.ok && { rule: action.rule }) },
  })
  deps.log.info({ task: task.front.id, path, ...(back && { rule: back.rule }) }, 'put a draft before the person')
}

function render(
  task: TaskFile,
  { isOwnText, digest, draft }: { isOwnText: boolean; digest: string; draft: DraftMemory | undefined },
  { action, back, say, isInDoubt }: Why,
  at: number,
  knowledge: Knowledge,
  deps: ExecutorDeps,
): { text: string; generation: number } | CountersignError {
  try {
    const prepared = prepare(task, isOwnText, back, at, leastGeneration(task, deps))
    const notice = [back?.say ?? say, restoreNotice(task, at, deps)].filter(Boolean).join(' ') || undefined
    const facts = { digest, presentedAt: new Date(at).toISOString() }
    // Of a file that is not ours only what we know they asked for is theirs.
    const notes = isOwnText ? (section(task, 'notes') ?? '') : (draft?.answers ?? '')
    const rendered = isInDoubt
      ? renderOutcomeCard(prepared, say ?? sayDoubt(task, deps), facts)
      : action.ok
        ? renderCard(isOwnText ? prepared : withNotes(prepared, draft), action.action, {
            ...facts,
            ...{ undoSeconds: deps.undoMs / 1000, notice },
            changes: changesOf(draft, deps),
            ...judgedBy(prepared, action.action, { digest, at }, { ...knowledge, notes }),
          })
        : renderProblemCard(prepared, back?.say ?? say ?? problemOf(task, action), facts)
    return { text: renderTaskFile(rendered), generation: prepared.front.generation }
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID') return error
    throw error
  }
}

/** A machine that was restored says so on the card of everything that is older. */
function restoreNotice({ front }: TaskFile, now: number, { journal: { restored } }: ExecutorDeps): string | undefined {
  return restored && isBeforeRestore(Date.parse(front.created), restored, now) ? sayLookFirst(restored) : undefined
}

function remember(task: TaskFile, { received }: Read, { journal }: ExecutorDeps): DraftMemory {
  const { id: taskId, generation } = task.front
  return revised(journal.draftMemory(taskId), { taskId, received, generation, text: draftOf(task) ?? '' })
}

/** As the drafter gave it back, with what it was asked for struck through once that is answered. */
function withNotes(task: TaskFile, draft: DraftMemory | undefined): TaskFile {
  if (draft?.answers === undefined) return task
  const notes = section(task, 'notes') ?? ''
  const then = draft.isUnanswered ? restoredNotes(notes, draft.answers) : answeredNotes(notes, draft.answers)
  return withSection(task, 'notes', then)
}

function changesOf(draft: DraftMemory | undefined, { compare }: ExecutorDeps): DraftChanges | undefined {
  if (draft?.previous === undefined) return undefined
  const { revision, answers, isUnanswered, previous, shown } = draft
  return { revision, answers, isUnanswered, lines: compare(previous, shown) }
}

/** What the handbook of this moment makes of it. */
function judgedBy(
  task: TaskFile,
  action: Action,
  shown: { digest: string; at: number },
  { risk, words, notes }: Knowledge & { readonly notes: string },
): Pick<CardFacts, 'risks' | 'claims' | 'code' | 'expires' | 'knownPayee'> {
  const parts = partsOf(action)
  const claims = claimsOf(parts.text, { original: section(task, 'original') ?? '', notes }, words)
  const risks = [...ruleRisks(task, action, risk, shown.at), ...risksOf(task, parts, risk), ...groundingRisks(claims)]
  const expiry = expiryOf(task, risk.rules, shown.at)
  const expires = expiry === undefined ? undefined : new Date(expiry).toISOString()
  const knownPayee = sayKnownPayee({ ...risk, parts, task })
  return { risks, claims, code: needsCode(risks) ? confirmationCode(shown) : undefined, expires, knownPayee }
}

/** What would be refused at the moment of paying is said before somebody approves it. */
function ruleRisks(task: TaskFile, action: Action, { rules, paid: past }: RiskFacts, now: number): Risk[] {
  if (action.tool !== 'payment.pay') return []
  const fault = paymentRulesFault(action, { rules: rules.payments, past, taskId: task.front.id, now })
  return fault ? [{ flag: fault.rule, level: 'high', say: fault.say }] : []
}

/**
 * Whether all words of the note are ours or the person's. Those of anybody else are dropped: they could show the person
 * another draft than the one that is sent.
 */
function isOurs(path: VaultPath, read: Read, last: Presentation | undefined): boolean {
  return last?.fileName === fileNameOf(path) && last.received === read.received && last.isOwnText
}

/**
 * The task as the card will be built on: a presentation that is not ours does not count, an old outcome goes, except
 * that it was done.
 */
function prepare(task: TaskFile, isOwnText: boolean, back: SentBack | undefined, now: number, least: number): TaskFile {
  const at = new Date(back?.at ?? now).toISOString()
  return withFront(task, {
    ...(!isOwnText && { presented: undefined }),
    ...(!isOwnText && toldUntil(task.front) !== undefined && { outcome: undefined }),
    generation: Math.max(task.front.generation, back?.generation ?? 0, least),
    ...(back && !isDone(task) && { outcome: { status: back.rule, at, reason: back.say.slice(0, 500) } }),
  })
}

/** Past every use that was made of the task, also for an older version of its file that somebody brought back. */
function leastGeneration({ front }: TaskFile, deps: ExecutorDeps): number {
  const last = deps.journal.lastIntentOf(front.id)
  return last === undefined ? 0 : last.generation + (last.state === 'refused' ? 1 : 0)
}

function problemOf(task: TaskFile, action: Extract<ActionVerdict, { ok: false }>): string {
  return task.front.outcome?.reason ?? sayAction(action.rule, action.problem, task)
}

function sayDoubt(task: TaskFile, deps: ExecutorDeps): string {
  const intent = deps.journal.lastIntentOf(task.front.id)
  return intent ? sayUnknown(intent, deps) : 'Nobody can tell whether it was done.'
}

function sayImpossible(error: CountersignError): string {
  return `The approval card could not be added: ${error.message}.`
}
