import { readAction } from '#core/action.ts'
import { withHistory } from '#core/claim.ts'
import { groundingFlags } from '#core/grounding-card.ts'
import { readHandbook } from '#core/handbook.ts'
import { readHandbookRules } from '#core/handbook-rules.ts'
import type { AnnouncedInvoice } from '#core/invoice-slot.ts'
import type { TaskJob } from '#core/jobs.ts'
import { plainSubject, replySubject } from '#core/mail.ts'
import { openNotes } from '#core/notes-to-drafter.ts'
import type { DraftRequest, WriteDraft } from '#core/ports/drafting.ts'
import { oneLine } from '#core/quote.ts'
import { draftOf, section, type TaskFile, withFront, withSection } from '#core/task-file.ts'
import { examplesFor } from './examples.ts'
import { type DraftOutcome, findClaimed, forbiddenHere, type HandInDeps, handIn } from './hand-in.ts'
import { drafted, readOwnNote, riskWith } from './made-by.ts'

export interface DrafterDeps extends HandInDeps {
  readonly write: WriteDraft
  /** The address replies are sent from. */
  readonly ownerAddress: string
  /** Signs a reply where the handbook names no signature. */
  readonly ownerName: string
  /** A draft that nobody decides on expires after this many milliseconds, where the handbook says nothing else. */
  readonly expiresAfterMs: number
  /** The reply goes out after the task that posts this invoice. */
  readonly announces?: AnnouncedInvoice | undefined
}

/**
 * Drafts the answer to one claimed task and hands it in: the draft is written in place, the update note and the ledger
 * entry follow, the move to Pending_Approval comes last. A crash anywhere leaves the task in In_Progress, and the next
 * run repeats the same steps to the same end (the note's name derives from task and generation).
 */
export async function draftReply(job: TaskJob, deps: DrafterDeps, triesLeft = 3): Promise<DraftOutcome> {
  const claimed = await findClaimed(job, deps)
  if (!claimed) return { kind: 'lost' }
  const { task } = claimed
  const forbidden = await forbiddenHere(task, deps)
  if (forbidden) return forbidden
  if (task.front.domain === 'social') return { kind: 'left' }
  const outcome = await handIn(claimed, await writeDraft(task, deps), deps)
  // A message joined it: the draft answers that one, too. In a flood of them the task is rung for again later.
  if (outcome.kind === 'lost' && outcome.isChanged && triesLeft > 0) return draftReply(job, deps, triesLeft - 1)
  return outcome.kind === 'drafted' ? { ...outcome, ...arrivalOf(task) } : outcome
}

function arrivalOf({ front }: TaskFile): { arrivedAt?: number } {
  return front.drafted ? {} : { arrivedAt: Date.parse(front.created) }
}

async function writeDraft(task: TaskFile, deps: DrafterDeps): Promise<{ task: TaskFile; problem?: string }> {
  const now = deps.clock.now()
  const at = new Date(now).toISOString()
  const source = task.front.source
  const own = await readOwnNote('Company_Handbook.md', deps.vault)
  const handbook = readHandbook(own.text)
  const rules = readHandbookRules(handbook.text)
  const expiresAfterMs = rules.expiry[task.front.domain] ?? deps.expiresAfterMs
  const request: DraftRequest = {
    taskId: task.front.id,
    domain: task.front.domain,
    subject: oneLine(task.front.title, 200),
    senderName: senderName(source?.from ?? ''),
    original: section(task, 'original') ?? '',
    language: task.front.language,
    signature: handbook.signature || deps.ownerName,
    handbook: handbook.text,
    notes: openNotes(section(task, 'notes') ?? ''),
    previous: draftOf(task) ?? '',
    isOwnNote: isOwnNote(task),
    examples: await examplesFor(source?.reply_to?.[0], rules, deps.vault),
  }
  const written = await deps.write(request)
  const flags = groundingFlags(written.text, { ...request, ownName: deps.ownerName })
  const withDraft = withSection(
    withFront(task, {
      drafted: drafted(written, at, own.problem),
      risk: riskWith(task.front.risk, [...(written.flags ?? []), ...flags]),
      expires: new Date(now + expiresAfterMs).toISOString(),
      ...(deps.announces && { after: [...new Set([...(task.front.after ?? []), deps.announces.task])] }),
      action: {
        tool: 'email.send_email',
        account: deps.ownerAddress,
        to: (source?.reply_to ?? []).map(lowerCaseDomain),
        subject: subjectOf(task),
        ...(deps.announces && { invoice: { ...deps.announces } }),
        ...(source?.message_id && { in_reply_to: source.message_id, references: threadReferences(source) }),
      },
    }),
    'draft',
    written.text,
  )
  const handedIn = withHistory(withDraft, `Pending_Approval/${task.front.domain}`, deps.agent, at)
  const verdict = readAction(handedIn)
  if (verdict.ok) return { task: handedIn }
  // The person sees the mail and why there is no draft to approve; an action that does not parse could never run.
  const reason = `no reply could be drafted: ${verdict.problem}`
  return {
    task: withFront(handedIn, { action: undefined, outcome: { status: 'undraftable', at, reason } }),
    problem: reason,
  }
}

/** A note that the person dropped into Inbox/. */
function isOwnNote({ front }: TaskFile): boolean {
  return front.source?.provider === 'inbox'
}

function subjectOf(task: TaskFile): string {
  const { source, title } = task.front
  const subject = source?.subject ?? title
  return isOwnNote(task) ? plainSubject(subject) : replySubject(subject)
}

/** RFC 5322 §3.6.4: the parent's references followed by the parent itself; the newest fifty are enough for any reader. */
function threadReferences(source: NonNullable<TaskFile['front']['source']>): string[] {
  const ids = [...(source.references ?? []), source.message_id ?? ''].filter((id) => /^<[^<>\s]+>$/.test(id))
  return [...new Set(ids)].slice(-50)
}

/** A domain is the same in any case; the canonical action has it in one. */
function lowerCaseDomain(address: string): string {
  const at = address.lastIndexOf('@')
  return address.slice(0, at) + address.slice(at).toLowerCase()
}

function senderName(from: string): string {
  const name = /^\s*"?([^"<@]*?)"?\s*</.exec(from)?.[1] ?? ''
  return oneLine(name, 80)
}
