import { mergeKey } from '#core/merge.ts'
import type { FetchOutcome, Oid } from '#core/ports/repo.ts'
import type { BaseRow, Claim } from '#core/ports/sync-store.ts'
import { shownPath } from '#core/scan-changes.ts'
import type { SyncRequest } from '#core/sync-request.ts'
import type { VaultPath } from '#core/vault-path.ts'
import { forgetLostClone, isLostClone, rebuildBase } from './care/rebuild-base.ts'
import { actHere, settleAct } from './claims/act-here.ts'
import { answerRequests, answerWaiting } from './claims/answer-requests.ts'
import type { PlannedCommit } from './claims/claim-commits.ts'
import { type ClaimPlan, planClaims } from './claims/claim-tasks.ts'
import { replayOffline } from './claims/offline-claims.ts'
import type { CycleOutcome, CycleReport } from './cycle-outcome.ts'
import { hubView } from './hub/hub-view.ts'
import { pushIntent, takeOverOwn } from './hub/push-intent.ts'
import { graceLeftMs, restoreHub } from './hub/restore-hub.ts'
import { landedClaims, settleIntents } from './hub/settle-intents.ts'
import { takeOverLedger } from './hub/take-over-ledger.ts'
import {
  anchorVerified,
  type HubVerdict,
  type Refusal,
  refuseFetch,
  verifiedHead,
  verifyHub,
} from './hub/verify-hub.ts'
import { checkpointOwnLedger, witnessOthers } from './hub/witness-ledger.ts'
import { commitPlan } from './merge/commit-plan.ts'
import { keepDropped, keepLost } from './merge/keep-lost.ts'
import { type MergePlan, type PlannedChange, planMerge, takenOnly } from './merge/plan-merge.ts'
import { mayLeaveHub } from './merge/private-keys.ts'
import { announceClaims, reportHeld, reportMerge } from './report-cycle.ts'
import type { SyncDeps } from './sync-deps.ts'
import { applyTree, keepCopiesHere, settleApplying } from './work-tree/apply-tree.ts'
import type { Scan } from './work-tree/scan-work-tree.ts'

const MAX_TRIES = 8

/** What woke a round: `vault` spares the look at the hub unless it is needed. */
export type Wake = 'vault' | 'hub'

/**
 * One round: scan (and fetch) → gate → merge → commit → push → apply. Safe to end at any line: what is not finished is
 * recognised by the next round, and repeating a round that had finished changes nothing. What it costs depends on what
 * changed, never on how much the vault holds.
 */
export async function syncCycle(deps: SyncDeps, wake: Wake = 'hub'): Promise<CycleOutcome> {
  await settleAct(deps)
  // Before the look at the hub, so that what is answered was seen after it was asked.
  const requests = await deps.requests.open()
  const outcome = await tryRound(requests, wake === 'hub' || requests.length > 0, deps)
  if (outcome.kind === 'unsettled') return outcome
  // A clone that was lost holds nothing yet of what would be read here.
  const left = (await isLostClone(deps)) ? requests : await actHere(requests, outcome.kind === 'unreachable', deps)
  await answerWaiting(left, outcome, deps)
  return outcome
}

async function tryRound(requests: readonly SyncRequest[], isHubAsked: boolean, deps: SyncDeps): Promise<CycleOutcome> {
  const claimsTried = { lost: 0, unknown: 0 }
  let tried: readonly Claim[] = []
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    if (attempt > 0) await deps.pause(attempt)
    const watch = deps.courtesy.start()
    // Who asks something, or heard nothing of a push, wants to know what the hub has now.
    const mayBeTold = attempt === 0 && requests.length === 0
    const seen = await lookAround(deps, attempt > 0 || isHubAsked, mayBeTold)
    if (seen.kind !== 'ready') return seen
    const { head, refusal } = seen
    const keys = new Set(deps.attention.open)
    if (!(await deps.scanner.look(deps.scanner.view.ours(keys).keys()))) return { kind: 'unsettled' }
    const owed = await replayOffline(deps)
    const plan = await planMerge(keys, owed.deps)
    await keepDropped(plan.dropped, deps)
    if (refusal) return { kind: 'refused', ...refusal, report: await concludeOnly(takenOnly(plan), keys, head, deps) }
    const claims = await planClaims(hubView(owed.deps.store, plan.changes), plan.unmerged, requests, deps)
    claimsTried.lost += lostOf(tried, claims, deps)
    const changes = [...changesOf(owed.commits), ...plan.changes, ...changesOf(claims.commits)]
    if (changes.length === 0) {
      const report = await concludeOnly(plan, keys, head, deps)
      await answerRequests(requests, claims.answers, deps)
      return { kind: 'synced', report: { ...report, claimsTried } }
    }

    const rows = mergedRows(plan, keys, deps)
    const { commit, hlc } = await commitPlan(owed.commits, plan, claims, head, deps)
    const intent = { commit, parent: head, rows: rows.map(([path, row]) => ({ path, row })), claims: claims.claims }
    const outcome = await pushIntent(intent, hlc, deps)
    if (outcome.kind === 'rejected' && outcome.cause !== 'raced')
      return { kind: 'push-refused', cause: outcome.cause, reason: outcome.reason }
    // Raced or unknown: look at the hub again. Whether this commit is in its history decides, nothing else.
    tried = claims.claims
    if (outcome.kind === 'unknown') claimsTried.unknown += tried.length
    if (outcome.kind !== 'landed') continue
    watch.landed(claims.claims.length > 0)
    await takeOverOwn(intent, changes, hlc, deps)
    const report = await concludeLanded(commit, plan, claims, keys, deps)
    await answerRequests(requests, claims.answers, deps)
    return { kind: 'synced', report: { ...report, claimsTried } }
  }
  return { kind: 'contended' }
}

/** How many of the claims of the last attempt others had made first. */
function lostOf(tried: readonly Claim[], again: ClaimPlan, deps: SyncDeps): number {
  if (tried.length === 0) return 0
  const ours = new Set([...again.claims, ...landedClaims(deps)].map((one) => one.taskId))
  return tried.filter((one) => !ours.has(one.taskId)).length
}

/** The end of a round whose push has landed. */
async function concludeLanded(
  commit: Oid,
  plan: MergePlan,
  claims: ClaimPlan,
  keys: ReadonlySet<string>,
  deps: SyncDeps,
): Promise<CycleReport> {
  await settleIntents(commit, deps)
  await deps.at('landed')
  await reportMerge(plan, deps)
  const whole = withClaims(plan, claims, deps)
  const report = await conclude(whole, new Set([...keys, ...whole.merged]), commit, deps)
  const leaving = changesOf(claims.commits).flatMap(({ path }) => (mayLeaveHub(path, deps) ? [path] : []))
  deps.attention.wakePaths(leaving)
  return { ...report, pushed: true, isPartial: report.isPartial || claims.isPartial || leaving.length > 0 }
}

function changesOf(commits: readonly PlannedCommit[]): PlannedChange[] {
  return commits.flatMap((one) => one.changes)
}

/** Scans and fetches, holds the hub against the gate, and settles what an earlier round had left open. */
async function lookAround(
  deps: SyncDeps,
  isHubAsked: boolean,
  mayBeTold: boolean,
): Promise<{ readonly kind: 'ready'; readonly head: Oid | null; readonly refusal?: Refusal } | CycleOutcome> {
  const { store, repo, attention } = deps
  await forgetLostClone(deps)
  // A push is a compare-and-swap: against the last verified head it needs no fetch, unless something is open.
  const isOpen =
    store.intents().length > 0 || store.fact('based') === undefined || store.fact('quarantine') !== undefined
  const mustFetch = isHubAsked || !attention.isHubSeen || isOpen
  // At once: neither needs the other, and the base is known per file.
  const [scanning, fetching] = await Promise.allSettled([
    scanWithCheckpoint(deps),
    mustFetch ? repo.fetch({ mayBeTold }) : verifiedHead(deps).then((head) => ({ kind: 'ok' as const, head })),
  ])
  // Both have ended before either's error ends the round: no git is left running into the next one.
  if (scanning.status === 'rejected') throw scanning.reason
  if (fetching.status === 'rejected') throw fetching.reason
  const [scan, fetched] = [scanning.value, fetching.value]
  attention.wake(scan.keys)
  if (!scan.isSettled) return { kind: 'unsettled' }
  await deps.at('scanned')
  if (fetched.kind === 'unreachable') return fetched
  attention.isHubSeen = true
  if (mustFetch) attention.hubReachedAt = deps.clock.now()
  // Our own guess at the head is no news of the hub.
  const restored = mustFetch && fetched.kind === 'ok' ? await restoreHub(fetched.head, deps) : undefined
  if (restored && restored.kind !== 'refused') return restored
  const { verified: head, refusal } = restored?.verdict ?? (await verdictOn(fetched, mustFetch, deps))
  await deps.at('verified')
  await rebuildBase(head, deps)
  await settleApplying(deps)
  await settleIntents(head, deps)
  if (!refusal && (await takeOverLedger(deps))) return { kind: 'unsettled' }
  if (scan.isWhole) wakeEverything(deps)
  await deps.at('settled')
  const forMs = refusal ? 0 : graceLeftMs(deps)
  if (forMs > 0) return { kind: 'waiting', forMs }
  if (!mustFetch && attention.open.size === 0) return { kind: 'idle' }
  return { kind: 'ready', head, ...(refusal && { refusal }) }
}

async function verdictOn(
  fetched: Exclude<FetchOutcome, { kind: 'unreachable' }>,
  isNews: boolean,
  deps: SyncDeps,
): Promise<HubVerdict> {
  if (fetched.kind === 'refused') return refuseFetch(fetched, deps)
  return isNews ? verifyHub(fetched.head, deps) : { verified: fetched.head }
}

/** After a look at everything, base and hub are compared as a whole too: nothing is left to a mark that got lost. */
function wakeEverything(deps: SyncDeps): void {
  const { attention, store, scanner, agent } = deps
  attention.wake([...attention.held.keys()])
  for (const folder of [`In_Progress/${agent}/`, 'Pending_Approval/'])
    attention.wakePaths([...store.hubUnder(folder).keys()].filter((path) => mayLeaveHub(path, deps)))
  attention.wake(store.unequalKeys())
  attention.wakePaths(scanner.view.differing())
}

async function scanWithCheckpoint(deps: SyncDeps): Promise<Scan> {
  const scan = await deps.scanner.scan()
  if (!scan.isSettled || !(await checkpointOwnLedger(deps))) return scan
  const again = await deps.scanner.scan()
  return { ...again, keys: new Set([...scan.keys, ...again.keys]), isWhole: scan.isWhole || again.isWhole }
}

/** The end of a round that pushes nothing. */
async function concludeOnly(
  plan: MergePlan,
  keys: ReadonlySet<string>,
  head: Oid | null,
  deps: SyncDeps,
): Promise<CycleReport> {
  const rows = mergedRows(plan, keys, deps)
  if (rows.length > 0) deps.store.update({ base: rows })
  return conclude(plan, keys, head, deps)
}

/** What was merged, as the base it is once the hub has it. */
function mergedRows(
  plan: MergePlan,
  keys: ReadonlySet<string>,
  { scanner, store }: SyncDeps,
): [VaultPath, BaseRow | null][] {
  const gone = [...store.baseOf(plan.staying).keys()].map((path): [VaultPath, null] => [path, null])
  return [...scanner.view.asBase([...keys].filter((key) => !plan.unmerged.has(key))), ...gone]
}

/** Brings the work tree up to the hub's head, then tells whom it concerns. */
async function conclude(
  plan: MergePlan,
  keys: ReadonlySet<string>,
  head: Oid | null,
  deps: SyncDeps,
): Promise<CycleReport> {
  const { attention, scanner, store } = deps
  scanner.view.settle(keys)
  await keepCopiesHere(plan, deps)
  const appliedCount = await applyTree(plan, deps)
  attention.rest(keys, store, scanner.view)
  attention.leave(plan.staying)
  attention.hold(plan.held)
  const claims = await announceClaims(deps)
  const ledgerProblems = await witnessOthers(hubView(store, []), deps)
  const held = [...attention.held.values()].map((one) => ({ ...one, path: shownPath(one) }))
  await reportHeld(held, deps)
  await keepLost(deps)
  await anchorVerified(head, deps)
  return {
    head,
    pushed: false,
    appliedCount,
    claims,
    claimsTried: { lost: 0, unknown: 0 },
    newConflicts: plan.copies.length,
    conflicts: store.hubConflicts(),
    held: [...held, ...scanner.oddities()],
    ledgerProblems,
    isPartial: plan.isPartial,
  }
}

/** The claims as part of what the work tree is to become. */
function withClaims(plan: MergePlan, { commits }: ClaimPlan, { scanner }: SyncDeps): MergePlan {
  const changes = changesOf(commits)
  const keys = changes.map(({ path }) => mergeKey(path))
  const tree = new Map(plan.tree)
  for (const { path, oid } of changes) {
    if (oid === null) tree.delete(path)
    else tree.set(path, oid)
  }
  return {
    ...plan,
    tree,
    ours: new Map([...plan.ours, ...scanner.view.ours(keys)]),
    merged: new Set([...plan.merged, ...keys]),
  }
}
