import type { HandOver } from '#core/hand-over.ts'
import { plainMarkdown } from '#core/quote.ts'
import { updateNotePath } from '#core/update-note.ts'
import { type Domain, fileNameOf } from '#core/vault-path.ts'
import { isLocalOnly } from '#core/zone-policy.ts'
import type { Claimed, DraftOutcome, HandInDeps } from './hand-in.ts'

/** Asks the zone's sync, which alone moves a task back; asking twice for the same claim is asking once. */
export interface GiveBack {
  /** Whether it was asked for this claim, and not done yet. */
  isAsked(claimed: Claimed): Promise<boolean>
  ask(claimed: Claimed, over?: Pick<HandOver, 'domain' | 'why'>): Promise<void>
}

export type TaskOutcome =
  | DraftOutcome
  /** Nobody here can draft it: it goes back to Needs_Action, and is not taken up again by itself. */
  | { readonly kind: 'given-back'; readonly reason: string }

/** Nothing can be written here, not even from a template. The message is for the person. */
export class CannotDraft extends Error {}

const MAX_REASON = 300

/**
 * Gives a claimed task back with a note that says why. The note comes first, so that a crash leaves the task claimed and
 * all of it is done again; its name derives from the claim. The zone does not take up by itself what it gave back.
 */
export async function giveBackTask(
  claimed: Claimed,
  reason: string,
  deps: Pick<HandInDeps, 'vault' | 'agent'> & { readonly giveBack: GiveBack },
): Promise<TaskOutcome> {
  const { id, title, domain } = claimed.task.front
  // A note travels to the hub, and who wrote stays here.
  const link = isLocalOnly(domain)
    ? `a task of ${domain}`
    : `[[Needs_Action/${domain}/${fileNameOf(claimed.path)}|${linkText(title)}]]`
  const how = `When that is mended, or to try again: countersign task transfer ${id} ${deps.agent}`
  await writeNote(claimed, 'given-back', `Not drafted: ${link}. ${plainMarkdown(reason, MAX_REASON)}. ${how}`, deps)
  await deps.giveBack.ask(claimed)
  return { kind: 'given-back', reason }
}

/** Gives a claimed task back as one of another domain: note first, as above. */
export async function handOverTask(
  claimed: Claimed,
  over: { readonly domain: Domain; readonly why: string },
  deps: Pick<HandInDeps, 'vault' | 'agent'> & { readonly giveBack: GiveBack },
): Promise<TaskOutcome> {
  const link = `[[Needs_Action/${over.domain}/${fileNameOf(claimed.path)}|${linkText(claimed.task.front.title)}]]`
  await writeNote(claimed, 'handed-over', `Handed over as ${over.domain}: ${link}. ${over.why}`, deps)
  await deps.giveBack.ask(claimed, over)
  return { kind: 'given-back', reason: over.why }
}

/** A note on the dashboard about one claim; `matter` tells it from the claim's other notes. */
export async function writeNote(
  { task }: Claimed,
  matter: string,
  text: string,
  deps: Pick<HandInDeps, 'vault' | 'agent'>,
): Promise<void> {
  const { id, generation, created } = task.front
  const path = updateNotePath(deps.agent, Date.parse(created), `${id}/${generation}/${matter}`)
  await deps.vault.create(path, `${text}\n`)
}

export function linkText(title: string): string {
  return plainMarkdown(title, 120).replace(/[[\]|\\<>&]/g, ' ')
}
