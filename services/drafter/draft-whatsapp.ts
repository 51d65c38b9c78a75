import { readAction } from '#core/action.ts'
import { withHistory } from '#core/claim.ts'
import { groundingFlags } from '#core/grounding-card.ts'
import { readHandbook } from '#core/handbook.ts'
import { readHandbookRules } from '#core/handbook-rules.ts'
import { openNotes } from '#core/notes-to-drafter.ts'
import type { DraftRequest, WriteDraft } from '#core/ports/drafting.ts'
import { oneLine } from '#core/quote.ts'
import { draftOf, section, type TaskFile, withFront, withSection } from '#core/task-file.ts'
import { isPhoneNumber } from '#core/whatsapp-chat.ts'
import { type Claimed, type DraftOutcome, forbiddenHere, type HandInDeps, handIn } from './hand-in.ts'
import { drafted, readOwnNote, riskWith } from './made-by.ts'

export interface DraftWhatsAppDeps extends HandInDeps {
  /** By the skill `local-whatsapp`. */
  readonly write: WriteDraft
  readonly ownerName: string
  readonly expiresAfterMs: number
}

/**
 * Drafts the answer to one claimed WhatsApp task and hands it in, as a reply to a mail is: in place first, the move last.
 * Chat and number are those that the WhatsApp service gave; no text can change them.
 */
export async function draftWhatsApp(claimed: Claimed, deps: DraftWhatsAppDeps): Promise<DraftOutcome> {
  const forbidden = await forbiddenHere(claimed.task, deps)
  if (forbidden) return forbidden
  // It waits for the task that it belongs to, which is drafted anew with it.
  if (claimed.task.front.joins !== undefined) return { kind: 'left' }
  return handIn(claimed, await writeDraft(claimed.task, deps), deps)
}

async function writeDraft(task: TaskFile, deps: DraftWhatsAppDeps): Promise<{ task: TaskFile; problem?: string }> {
  const now = deps.clock.now()
  const at = new Date(now).toISOString()
  const { source, risk } = task.front
  const name = textOf(source?.name)
  const number = textOf(source?.number)
  const own = await readOwnNote('Company_Handbook.md', deps.vault)
  const handbook = readHandbook(own.text)
  const request: DraftRequest = {
    taskId: task.front.id,
    domain: 'whatsapp',
    subject: '',
    senderName: oneLine(name, 80),
    original: section(task, 'original') ?? '',
    language: task.front.language,
    // A chat shows who writes.
    signature: '',
    handbook: handbook.text,
    notes: openNotes(section(task, 'notes') ?? ''),
    previous: draftOf(task) ?? '',
    examples: [],
  }
  const written = await deps.write(request)
  const flags = groundingFlags(written.text, { ...request, ownName: deps.ownerName })
  const expiresAfterMs = readHandbookRules(handbook.text).expiry.whatsapp ?? deps.expiresAfterMs
  const withDraft = withSection(
    withFront(task, {
      drafted: drafted(written, at, own.problem),
      risk: riskWith(risk, [...(written.flags ?? []), ...flags]),
      expires: new Date(now + expiresAfterMs).toISOString(),
      action: {
        tool: 'whatsapp.send_message',
        chat: source?.thread_id ?? '',
        ...(isPhoneNumber(number) && { number }),
        ...(name !== '' && { name: oneLine(name, 80) }),
      },
    }),
    'draft',
    written.text,
  )
  const handedIn = withHistory(withDraft, `Pending_Approval/${task.front.domain}`, deps.agent, at)
  const verdict = readAction(handedIn)
  if (verdict.ok) return { task: handedIn }
  // A name that cannot be shown as it is goes; the chat stays what it is.
  const nameless = withFront(handedIn, { action: withoutName(handedIn.front.action) })
  if (readAction(nameless).ok) return { task: nameless }
  const reason = `no answer could be drafted: ${verdict.problem}`
  return {
    task: withFront(handedIn, { action: undefined, outcome: { status: 'undraftable', at, reason } }),
    problem: reason,
  }
}

function withoutName(action: TaskFile['front']['action']): TaskFile['front']['action'] {
  if (action === undefined) return undefined
  const { name: _, ...rest } = action
  return rest as TaskFile['front']['action']
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
