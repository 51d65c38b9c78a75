import { isBeingExecuted } from '#core/claim.ts'
import { fileMemory } from '#core/file-memory.ts'
import { shortId } from '#core/ids.ts'
import type { TaskJob } from '#core/jobs.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { plainMarkdown } from '#core/quote.ts'
import { parseTaskFile, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { updateNotePath } from '#core/update-note.ts'
import { fileNameOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import { decideZone, isLocalOnly, type Zone } from '#core/zone-policy.ts'
import { linkText } from './give-back.ts'

const MAX_REMARK = 500

/** What handing a draft in needs, whatever it is a draft of. */
export interface HandInDeps {
  readonly vault: VaultPort
  readonly ledger: LedgerPort
  readonly clock: Clock
  readonly zone: Zone
  readonly agent: string
}

export type DraftOutcome =
  /** `arrivedAt`: when its mail did, ms; unset for another draft of the same task. */
  | { readonly kind: 'drafted'; readonly path: VaultPath; readonly arrivedAt?: number }
  /** No longer this agent's under that generation: nothing to do. `isChanged`: it is, and says more than it did when read. */
  | { readonly kind: 'lost'; readonly isChanged?: boolean }
  | { readonly kind: 'forbidden'; readonly rule: string }
  /** No mail: it stays claimed, for whoever writes it (`draft_post`). */
  | { readonly kind: 'left' }
  /** Nothing can be drafted from this file; it was handed in for the person to see why. */
  | { readonly kind: 'unusable'; readonly problem: string }

export interface Claimed {
  readonly path: VaultPath
  /** The file as it was read. */
  readonly text: string
  readonly task: TaskFile
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

/**
 * Draft in place, note, ledger, move: each step may be repeated after a crash. A message that joined the task since it was
 * read stays: the draft is of before, and is not written. Once it is, triage adds nothing to the file any more.
 */
export async function handIn(
  { path, text, task }: Claimed,
  draft: { task: TaskFile; problem?: string },
  deps: HandInDeps,
): Promise<DraftOutcome> {
  const { front } = task
  const written = await deps.vault.replaceIf(path, text, renderTaskFile(draft.task))
  if (written !== 'replaced') return { kind: 'lost', isChanged: written === 'changed' }
  // What is told of it in Updates/ goes to the hub.
  if (!isLocalOnly(front.domain)) await writeUpdate(draft.task, fileNameOf(path), draft.problem, deps)
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

/**
 * The jobs that this agent's claimed tasks ask for: what a start or a flushed queue must ring again. In the local zone what
 * was approved stands in the same folder: that is the executor's. Who asks again and again gives the same memory of files
 * along with the same `isWanted`: of thousands, only what has changed is read.
 */
export async function claimedJobs(
  vault: VaultPort,
  agent: string,
  isWanted: (task: TaskFile) => boolean = () => true,
  readFile = fileMemory(vault),
): Promise<TaskJob[]> {
  const jobs: TaskJob[] = []
  const jobOf = (text = ''): TaskJob | undefined => {
    const parsed = parseTaskFile(text)
    if (!parsed.ok || isBeingExecuted(parsed.task) || !isWanted(parsed.task)) return undefined
    return { taskId: parsed.task.front.id, generation: parsed.task.front.generation }
  }
  for (const path of await vault.list(`In_Progress/${agent}`)) {
    const job = await readFile(path, jobOf)
    if (job) jobs.push(job)
  }
  readFile.forgetOthers()
  return jobs
}

export async function findClaimed(
  job: TaskJob,
  deps: Pick<HandInDeps, 'vault' | 'agent'>,
): Promise<Claimed | undefined> {
  const ending = `_${shortId(job.taskId)}.md`
  for (const path of await deps.vault.list(`In_Progress/${deps.agent}`, ending)) {
    const text = await deps.vault.read(path)
    const parsed = text === undefined ? undefined : parseTaskFile(text)
    if (text === undefined || !parsed?.ok || parsed.task.front.id !== job.taskId) continue
    if (isBeingExecuted(parsed.task)) continue
    if (parsed.task.front.generation === job.generation) return { path, text, task: parsed.task }
  }
  return undefined
}

const WAITING: Readonly<Record<string, string>> = {
  'social.publish_post': 'A post',
  'social.create_post': 'A post',
  'odoo.post_invoice': 'The posting of an invoice',
}

async function writeUpdate(
  task: TaskFile,
  fileName: string,
  problem: string | undefined,
  deps: HandInDeps,
): Promise<void> {
  const { id, generation, title, domain } = task.front
  const at = Date.parse(task.front.drafted?.at ?? task.front.created)
  const tool = task.front.action?.tool ?? ''
  const what = problem ? 'A mail waits without a draft' : `${WAITING[tool] ?? 'A reply'} waits for your approval`
  const remark = task.front.drafted?.remark
  const more = remark ? ` (${plainMarkdown(remark, MAX_REMARK)})` : ''
  const text = `${what}: [[Pending_Approval/${domain}/${fileName}|${linkText(title)}]]${more}\n`
  await deps.vault.create(updateNotePath(deps.agent, at, `${id}/${generation}/drafted`), text)
}
