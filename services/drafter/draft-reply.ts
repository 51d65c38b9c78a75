import { createHash } from 'node:crypto'
import { readAction } from '#core/action.ts'
import { withHistory } from '#core/claim.ts'
import { readHandbook } from '#core/handbook.ts'
import { readHandbookRules } from '#core/handbook-rules.ts'
import { makeTaskId, shortId } from '#core/ids.ts'
import type { TaskJob } from '#core/jobs.ts'
import { replySubject } from '#core/mail.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { WriteDraft } from '#core/ports/drafting.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { oneLine } from '#core/quote.ts'
import { parseTaskFile, renderTaskFile, section, type TaskFile, withFront, withSection } from '#core/task-file.ts'
import { fileNameOf, taskPath, type VaultPath, vaultPath } from '#core/vault-path.ts'
import { decideZone, type Zone } from '#core/zone-policy.ts'

/** What handing a draft in needs, whatever it is a draft of. */
export interface HandInDeps {
  readonly vault: VaultPort
  readonly ledger: LedgerPort
  readonly clock: Clock
  readonly zone: Zone
  readonly agent: string
}

export interface DrafterDeps extends HandInDeps {
  readonly write: WriteDraft
  /** The address replies are sent from. */
  readonly ownerAddress: string
  /** Signs a reply where the handbook names no signature. */
  readonly ownerName: string
  /** A draft that nobody decides on expires after this many milliseconds, where the handbook says nothing else. */
  readonly expiresAfterMs: number
}

export type DraftOutcome =
  /** `arrivedAt`: when its mail did, ms; unset for another draft of the same task. */
  | { readonly kind: 'drafted'; readonly path: VaultPath; readonly arrivedAt?: number }
  /** The task is no longer this agent's under that generation: nothing to do. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'forbidden'; readonly rule: string }
  /** No mail: it stays claimed, for whoever writes it (`draft_post`). */
  | { readonly kind: 'left' }
  /** Nothing can be drafted from this file; it was handed in for the person to see why. */
  | { readonly kind: 'unusable'; readonly problem: string }

export interface Claimed {
  readonly path: VaultPath
  readonly task: TaskFile
}

/**
 * Drafts the answer to one claimed task and hands it in: the draft is written in place, the update note and the ledger
 * entry follow, the move to Pending_Approval comes last. A crash anywhere leaves the task in In_Progress, and the next
 * run repeats the same steps to the same end (the note's name derives from task and generation).
 */
export async function draftReply(job: TaskJob, deps: DrafterDeps): Promise<DraftOutcome> {
  const claimed = await findClaimed(job, deps)
  if (!claimed) return { kind: 'lost' }
  const { task } = claimed
  const forbidden = await forbiddenHere(task, deps)
  if (forbidden) return forbidden
  if (task.front.domain === 'social') return { kind: 'left' }
  const outcome = await handIn(claimed, await writeDraft(task, deps), deps)
  return outcome.kind === 'drafted' ? { ...outcome, ...arrivalOf(task) } : outcome
}

/** What this zone may not draft, it refuses on the record. */
export async function forbiddenHere(
  { front }: TaskFile,
  deps: HandInDeps,
): Promise<Extract<DraftOutcome, { kind: 'forbidden' }> | undefined> {
  const decision = decideZone(deps.zone, front.domain, 'draft')
  if (decision.allow) return undefined
  await deps.ledger.append('zone.forbidden', {
    task: front.id,
    data: { operation: 'draft', domain: front.domain, rule: decision.rule },
  })
  return { kind: 'forbidden', rule: decision.rule }
}

/** Draft in place, note, ledger, move: each step may be repeated after a crash. */
export async function handIn(
  { path, task }: Claimed,
  draft: { task: TaskFile; problem?: string },
  deps: HandInDeps,
): Promise<DraftOutcome> {
  const { front } = task
  await deps.vault.replace(path, renderTaskFile(draft.task))
  await writeUpdate(draft.task, fileNameOf(path), draft.problem, deps)
  const { model = 'none', cost_usd } = draft.task.front.drafted ?? {}
  await deps.ledger.append('task.drafted', {
    task: front.id,
    data: {
      generation: front.generation,
      model,
      ...(cost_usd !== undefined && { cost_usd }),
      ...(draft.problem && { problem: draft.problem }),
    },
  })
  const pending = taskPath({ kind: 'pending', domain: front.domain }, fileNameOf(path))
  const moved = await deps.vault.move(path, pending)
  if (moved !== 'moved') return { kind: 'lost' }
  if (draft.problem) return { kind: 'unusable', problem: draft.problem }
  return { kind: 'drafted', path: pending }
}

function arrivalOf({ front }: TaskFile): { arrivedAt?: number } {
  return front.drafted ? {} : { arrivedAt: Date.parse(front.created) }
}

/** The jobs that this agent's claimed tasks ask for: what a start or a flushed queue must ring again. */
export async function claimedJobs(vault: VaultPort, agent: string): Promise<TaskJob[]> {
  const jobs: TaskJob[] = []
  for (const path of await vault.list(`In_Progress/${agent}`)) {
    const text = await vault.read(path).catch(() => undefined)
    const parsed = text === undefined ? undefined : parseTaskFile(text)
    if (parsed?.ok) jobs.push({ taskId: parsed.task.front.id, generation: parsed.task.front.generation })
  }
  return jobs
}

export async function findClaimed(
  job: TaskJob,
  deps: Pick<HandInDeps, 'vault' | 'agent'>,
): Promise<Claimed | undefined> {
  const ending = `_${shortId(job.taskId)}.md`
  for (const path of await deps.vault.list(`In_Progress/${deps.agent}`)) {
    if (!path.endsWith(ending)) continue
    const text = await deps.vault.read(path)
    const parsed = text === undefined ? undefined : parseTaskFile(text)
    if (parsed?.ok && parsed.task.front.id === job.taskId && parsed.task.front.generation === job.generation)
      return { path, task: parsed.task }
  }
  return undefined
}

async function writeDraft(task: TaskFile, deps: DrafterDeps): Promise<{ task: TaskFile; problem?: string }> {
  const now = deps.clock.now()
  const at = new Date(now).toISOString()
  const source = task.front.source
  const handbook = readHandbook((await deps.vault.read(vaultPath('Company_Handbook.md'))) ?? '')
  const expiresAfterMs = readHandbookRules(handbook.text).expiry[task.front.domain] ?? deps.expiresAfterMs
  const written = await deps.write({
    subject: oneLine(task.front.title, 200),
    senderName: senderName(source?.from ?? ''),
    original: section(task, 'original') ?? '',
    signature: handbook.signature || deps.ownerName,
  })
  const withDraft = withSection(
    withFront(task, {
      drafted: { by: written.by, model: written.model, at, cost_usd: written.costUsd },
      expires: new Date(now + expiresAfterMs).toISOString(),
      action: {
        tool: 'email.send_email',
        account: deps.ownerAddress,
        to: (source?.reply_to ?? []).map(lowerCaseDomain),
        subject: replySubject(source?.subject ?? task.front.title),
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

async function writeUpdate(
  task: TaskFile,
  fileName: string,
  problem: string | undefined,
  deps: HandInDeps,
): Promise<void> {
  const { id, generation, title, domain } = task.front
  const seed = createHash('sha256').update(`${id}/${generation}/drafted`).digest()
  const noteId = makeTaskId(Date.parse(task.front.drafted?.at ?? task.front.created), seed)
  const what = problem
    ? 'A mail waits without a draft'
    : `A ${domain === 'social' ? 'post' : 'reply'} waits for your approval`
  const text = `${what}: [[Pending_Approval/${domain}/${fileName}|${oneLine(title, 120).replace(/[[\]|]/g, ' ')}]]\n`
  await deps.vault.create(vaultPath(`Updates/${deps.agent}/${noteId}.md`), text)
}
