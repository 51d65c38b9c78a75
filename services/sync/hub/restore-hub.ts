import { CountersignError } from '#core/errors.ts'
import type { GateFault } from '#core/gate.ts'
import type { Oid, PushOutcome, RefusedCause, SignedCommit } from '#core/ports/repo.ts'
import type { HubDeps } from '../sync-deps.ts'
import { type HubVerdict, refuseHead, verifiedHead } from './verify-hub.ts'

/** The hub had come back with less than what was verified here; what is known was put back. */
export interface HubRestored {
  readonly kind: 'restored'
  /** The head it had come back with; null: it was empty. */
  readonly from: Oid | null
  readonly to: Oid
}

export type RestoreOutcome =
  | HubRestored
  | { readonly kind: 'refused'; readonly verdict: HubVerdict }
  | { readonly kind: 'push-refused'; readonly cause: RefusedCause; readonly reason: string }
  /** Somebody else puts it back, or the answer was lost: look again. */
  | { readonly kind: 'contended' }

/** Other clones may know more than this one: they go first. Longer than the slowest of them takes to look at the hub. */
export const GRACE_MS = 30_000
/** A hub that forgets more often than this is none to rely on: a person has to look. */
const MAX_RESTORES = 3
const WITHIN_MS = 3_600_000

/** One loss of the hub's newest history, as remembered in the store. */
interface Loss {
  readonly from: Oid | null
  readonly to: Oid
  readonly at: number
  /** All of it was put back. */
  readonly isOver: boolean
}

/**
 * A hub that was restored from a backup, or made anew, shows an older history than the one verified here. What is
 * missing is put back as it was, fast-forward: every commit names its parent, so it can only come back to its old place.
 * Undefined: the hub has lost nothing, or something else than its newest commits, which the gate refuses.
 */
export async function restoreHub(head: Oid | null, deps: HubDeps): Promise<RestoreOutcome | undefined> {
  const { repo } = deps
  const verified = await verifiedHead(deps)
  if (verified === null || head === verified) return undefined
  // The usual case first: a hub that went on shows it in a commit or two; that it did not lose any takes git to tell.
  if (head !== null && (await repo.isAncestor(verified, head))) return undefined
  if (head !== null && !(await repo.isAncestor(head, verified))) return undefined
  const missing = await missingCommits(head, verified, deps)
  if (!missing) return undefined
  if (!(await noteLoss({ from: head, to: verified, at: deps.clock.now(), isOver: false }, deps)))
    return { kind: 'refused', verdict: await refuseHead(head, [tooOften(head)], deps) }
  await deps.at('loss-noted')
  const outcome = await pushChain(missing, head, deps)
  if (outcome.kind === 'rejected' && outcome.cause !== 'raced')
    return { kind: 'push-refused', cause: outcome.cause, reason: outcome.reason }
  if (outcome.kind !== 'landed') return { kind: 'contended' }
  const losses = lossesOf(deps).map((loss) => ({ ...loss, isOver: true }))
  deps.store.update({ facts: { restored_at: String(deps.clock.now()), hub_losses: JSON.stringify(losses) } })
  await deps.at('restored')
  return { kind: 'restored', from: head, to: verified }
}

function tooOften(head: Oid | null): GateFault {
  return { commit: head, rule: 'hub-rolled-back', detail: `more than ${MAX_RESTORES} times within an hour` }
}

/** The last time that all of a loss was put back. */
export function lastRestore({ store }: Pick<HubDeps, 'store'>): { at: string; from: string | null; to: string } | null {
  const last = lossesOf({ store }).findLast(({ isOver }) => isOver)
  return last ? { at: new Date(last.at).toISOString(), from: last.from, to: last.to } : null
}

/**
 * A zone that was restored may have come back together with its hub, and cannot see that both are old: for the same while it
 * puts nothing new there, so that those who know more put back what is missing. Once for each restore (`mark`).
 */
export function heedRestore(mark: string | undefined, { store, clock }: Pick<HubDeps, 'store' | 'clock'>): void {
  if (mark === undefined || store.fact('restore_mark') === mark) return
  store.update({ facts: { restore_mark: mark, restored_at: String(clock.now()) } })
}

/** How long this clone still waits before it puts anything new on a hub that was restored. */
export function graceLeftMs({ store, clock }: Pick<HubDeps, 'store' | 'clock'>): number {
  const restoredAt = store.fact('restored_at')
  if (restoredAt === undefined) return 0
  const elapsed = clock.now() - Number(restoredAt)
  if (elapsed >= 0 && elapsed < GRACE_MS) return GRACE_MS - elapsed
  store.update({ facts: { restored_at: null } })
  return 0
}

/** Undefined when the clone does not hold them: it was made anew, and what it had is in the work tree alone. */
async function missingCommits(
  head: Oid | null,
  verified: Oid,
  { repo }: HubDeps,
): Promise<readonly SignedCommit[] | undefined> {
  try {
    const commits = await repo.commitsBetween(head, verified)
    return commits.at(-1)?.oid === verified ? commits : undefined
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_GIT_FAILED') return undefined
    throw error
  }
}

/** Into the ledger once for each loss. False: it happens too often. */
async function noteLoss(loss: Loss, deps: HubDeps): Promise<boolean> {
  const losses = lossesOf(deps).filter(({ at }) => at > loss.at - WITHIN_MS)
  // Else the same one, half repaired: the process died, or the history goes back in several pushes.
  const isNew = losses.at(-1)?.isOver !== false
  if (!isNew) return true
  if (losses.length >= MAX_RESTORES) return false
  await deps.ledger.append('hub.rolled-back', { data: { from: loss.from ?? '', to: loss.to } })
  deps.store.update({ facts: { hub_losses: JSON.stringify([...losses, loss]) } })
  return true
}

function lossesOf({ store }: Pick<HubDeps, 'store'>): Loss[] {
  return JSON.parse(store.fact('hub_losses') ?? '[]') as Loss[]
}

async function isHead(commit: Oid | null, repo: HubDeps['repo']): Promise<boolean> {
  const answer = await repo.remoteHead()
  return answer.kind === 'ok' && answer.head === commit
}

/** All at once; what the hub finds too much at once in ever smaller parts. */
async function pushChain(
  commits: readonly SignedCommit[],
  head: Oid | null,
  { repo, at }: HubDeps,
): Promise<PushOutcome> {
  let expected = head
  let step = commits.length
  for (let done = 0; done < commits.length; ) {
    const end = Math.min(done + step, commits.length)
    const target = commits[end - 1] as SignedCommit
    const outcome = await repo.push({ commit: target.oid, expected, isRestore: true })
    if (outcome.kind === 'landed' || (await isHead(target.oid, repo))) {
      expected = target.oid
      done = end
      await at('restoring')
    } else if (step > 1 && (await isHead(expected, repo))) step = Math.ceil(step / 2)
    else return outcome
  }
  return { kind: 'landed' }
}
