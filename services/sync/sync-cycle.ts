import { sameIdentity } from '#core/file-identity.ts'
import type { GateFault } from '#core/gate.ts'
import { formatHlc, parseHlc, tickHlc } from '#core/hlc.ts'
import type { TaskJob } from '#core/jobs.ts'
import { mergeKey } from '#core/merge.ts'
import type { Oid, PushOutcome, TreeFile } from '#core/ports/repo.ts'
import type { BaseRow, PushIntent } from '#core/ports/sync-store.ts'
import type { Oddity } from '#core/ports/work-tree.ts'
import { isConflictCopy, type VaultPath } from '#core/vault-path.ts'
import { applyTree, settleApplying } from './apply-tree.ts'
import { type ClaimPlan, planClaims } from './claim-tasks.ts'
import { type MergePlan, type PlannedChange, planMerge } from './plan-merge.ts'
import { rebuildBase } from './rebuild-base.ts'
import { announceClaims, reportHeld, reportMerge } from './report-cycle.ts'
import { rememberable, type Scan } from './scan-work-tree.ts'
import { settleIntents } from './settle-intents.ts'
import type { SyncDeps } from './sync-deps.ts'
import { anchorVerified, refuseFetch, stampsOf, verifyHub } from './verify-hub.ts'
import { checkpointOwnLedger, witnessOthers } from './witness-ledger.ts'

export type CycleOutcome =
  /** Vault and hub agree, but for what is held back. */
  | { readonly kind: 'synced'; readonly report: CycleReport }
  /** Files were being written while we looked. */
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The gate refused what is new at the hub; nothing of it was applied, nothing was pushed. */
  | { readonly kind: 'refused'; readonly head: Oid | null; readonly faults: readonly GateFault[] }
  /** The hub's hook refused our push: its gate and ours disagree. */
  | { readonly kind: 'push-refused'; readonly reason: string }
  /** Others pushed first, time and again. */
  | { readonly kind: 'contended' }

export interface CycleReport {
  readonly head: Oid | null
  readonly pushed: boolean
  /** Files changed in the work tree. */
  readonly appliedCount: number
  readonly claims: readonly TaskJob[]
  /** Conflict copies kept by this cycle. */
  readonly newConflicts: number
  /** All conflict copies in the vault. */
  readonly conflicts: readonly string[]
  readonly held: readonly Oddity[]
  readonly ledgerProblems: readonly string[]
  readonly isPartial: boolean
}

const MAX_TRIES = 8

/**
 * One round: scan → fetch → gate → merge → commit → push → apply. Safe to end at any line: what is not finished is
 * recognised by the next round, and repeating a round that had finished changes nothing.
 */
export async function syncCycle(deps: SyncDeps): Promise<CycleOutcome> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    if (attempt > 0) await deps.pause(attempt)
    const seen = await lookAround(deps)
    if (seen.kind !== 'ready') return seen
    const { scan, head } = seen

    const base = deps.store.base()
    const tree = await deps.repo.treeOf(head)
    const plan = await planMerge(scan, tree, base, deps)
    const merged = withChanges(pathsOf(tree), plan.changes)
    const claims = await planClaims(merged, plan.unmerged, deps)
    const rows = baseRows(scan, base, plan, deps)
    const changes = [...plan.changes, ...claims.changes]
    if (changes.length === 0) {
      if (rows.length > 0) deps.store.update({ base: rows })
      return { kind: 'synced', report: await conclude(plan, scan, head, merged, deps) }
    }

    const commit = await commitPlan(plan, claims, head, scan, deps)
    const intent = { commit, parent: head, rows: rows.map(([path, row]) => ({ path, row })), claims: claims.jobs }
    const outcome = await pushIntent(intent, deps)
    if (outcome.kind === 'rejected' && outcome.cause === 'refused')
      return { kind: 'push-refused', reason: outcome.reason }
    // Raced or unknown: look at the hub again. Whether this commit is in its history decides, nothing else.
    if (outcome.kind !== 'landed') continue
    takeOverOwn(commit, changes, tree, deps)
    await settleIntents(commit, deps)
    await deps.at('landed')
    await reportMerge(plan, deps)
    const whole = withChanges(merged, claims.changes)
    const report = await conclude(withClaims(plan, claims), scan, commit, whole, deps)
    return { kind: 'synced', report: { ...report, pushed: true } }
  }
  return { kind: 'contended' }
}

/** Scans and fetches, holds the hub against the gate, and settles what an earlier round had left open. */
async function lookAround(
  deps: SyncDeps,
): Promise<{ readonly kind: 'ready'; readonly scan: Scan; readonly head: Oid | null } | CycleOutcome> {
  // At once: neither needs the other, and the base is known per file.
  const [scanning, fetching] = await Promise.allSettled([scanWithCheckpoint(deps), deps.repo.fetch()])
  // Both have ended before either's error ends the round: no git is left running into the next one.
  if (scanning.status === 'rejected') throw scanning.reason
  if (fetching.status === 'rejected') throw fetching.reason
  const [scan, fetched] = [scanning.value, fetching.value]
  if (!scan.isSettled) return { kind: 'unsettled' }
  await deps.at('scanned')
  if (fetched.kind === 'unreachable') return fetched
  const verdict =
    fetched.kind === 'refused' ? await refuseFetch(fetched.reason, deps) : await verifyHub(fetched.head, deps)
  if (verdict.kind === 'refused') return verdict
  const head = fetched.kind === 'ok' ? fetched.head : null
  await deps.at('verified')
  await rebuildBase(scan, head, deps)
  settleApplying(scan, deps)
  await settleIntents(head, deps)
  await deps.at('settled')
  return { kind: 'ready', scan, head }
}

/** Written down before it is begun: after a crash, the hub's history tells whether it landed. */
async function pushIntent(intent: PushIntent, { repo, store, at }: SyncDeps): Promise<PushOutcome> {
  store.update({ addIntent: intent })
  await at('committed')
  const outcome = await repo.push({ commit: intent.commit, expected: intent.parent })
  await at('pushed')
  if (outcome.kind === 'rejected' && outcome.cause === 'refused') store.update({ removeIntents: [intent.commit] })
  return outcome
}

async function scanWithCheckpoint(deps: SyncDeps): Promise<Scan> {
  const scan = await deps.scanner.scan()
  return scan.isSettled && (await checkpointOwnLedger(scan, deps)) ? deps.scanner.scan() : scan
}

/** Brings the work tree up to the hub's head, then tells whom it concerns. */
async function conclude(
  plan: MergePlan,
  scan: Scan,
  head: Oid | null,
  tree: ReadonlyMap<VaultPath, Oid>,
  deps: SyncDeps,
): Promise<CycleReport> {
  const appliedCount = await applyTree(plan, scan, deps)
  const claims = await announceClaims(deps)
  const ledgerProblems = await witnessOthers(tree, deps)
  await reportHeld(plan.held, deps)
  await anchorVerified(head, deps)
  return {
    head,
    pushed: false,
    appliedCount,
    claims,
    newConflicts: plan.copies.length,
    conflicts: [...tree.keys()].filter(isConflictCopy).sort(),
    held: [...plan.held, ...scan.oddities],
    ledgerProblems,
    isPartial: plan.isPartial,
  }
}

/** The gate has checked every path of a verified tree. */
function pathsOf(tree: ReadonlyMap<string, TreeFile>): Map<VaultPath, Oid> {
  return new Map([...tree].map(([path, { oid }]) => [path as VaultPath, oid]))
}

function withChanges(tree: ReadonlyMap<VaultPath, Oid>, changes: readonly PlannedChange[]): Map<VaultPath, Oid> {
  const changed = new Map(tree)
  for (const { path, oid } of changes) {
    if (oid === null) changed.delete(path)
    else changed.set(path, oid)
  }
  return changed
}

function withClaims(plan: MergePlan, { changes }: ClaimPlan): MergePlan {
  const merged = new Set([...plan.merged, ...changes.map(({ path }) => mergeKey(path))])
  return { ...plan, tree: withChanges(plan.tree, changes), merged }
}

/** What was scanned, as the base it becomes once it is part of the hub's head. */
function baseRows(
  scan: Scan,
  base: ReadonlyMap<VaultPath, BaseRow>,
  plan: MergePlan,
  deps: SyncDeps,
): [VaultPath, BaseRow | null][] {
  const rows: [VaultPath, BaseRow | null][] = []
  for (const path of new Set([...scan.files.keys(), ...base.keys()])) {
    if (plan.unmerged.has(mergeKey(path))) continue
    const found = scan.files.get(path)
    const known = base.get(path)
    if (!found) rows.push([path, null])
    else {
      const identity = rememberable(found.identity, deps.clock)
      const isKnown = found.oid === known?.oid && (identity === null || sameIdentity(identity, known.identity))
      if (!isKnown) rows.push([path, { oid: found.oid, identity }])
    }
  }
  return rows
}

/** One commit for what changed here and one for the claims, so that each says one thing; pushed together. */
async function commitPlan(
  plan: MergePlan,
  claims: ClaimPlan,
  head: Oid | null,
  scan: Scan,
  deps: SyncDeps,
): Promise<Oid> {
  const { repo, store, agent, clock, nonce } = deps
  // As near to the time of writing as causality allows: a file edited offline is as old as its edit.
  const written = plan.changes.flatMap(({ path }) => {
    const { identity } = scan.files.get(path) ?? {}
    return identity ? [Number(BigInt(identity.mtimeNs) / 1_000_000n)] : []
  })
  const physicalMs = Math.min(clock.now(), written.length > 0 ? Math.max(...written) : clock.now())
  let hlc = tickHlc(parseHlc(store.fact('hlc') ?? ''), physicalMs, agent)
  let parent = head
  if (plan.changes.length > 0) {
    const message = `Sync ${plan.changes.length} ${plan.changes.length === 1 ? 'path' : 'paths'} from ${agent}`
    const trailers = { Nonce: nonce(), HLC: formatHlc(hlc) }
    parent = await repo.commitTree({ parent, changes: plan.changes, message, trailers })
  }
  if (claims.changes.length > 0) {
    hlc = tickHlc(hlc, clock.now(), agent)
    const message = `Claim ${claims.jobs.length} ${claims.jobs.length === 1 ? 'task' : 'tasks'} for ${agent}`
    const trailers = { Claim: claims.jobs.map((job) => job.taskId).join(' '), Nonce: nonce(), HLC: formatHlc(hlc) }
    parent = await repo.commitTree({ parent, changes: claims.changes, message, trailers })
  }
  store.update({ facts: { hlc: formatHlc(hlc) } })
  return parent as Oid
}

/** Our own commits passed the ownership check before they were made: they are verified by having landed. */
function takeOverOwn(
  commit: Oid,
  changes: readonly PlannedChange[],
  before: ReadonlyMap<string, TreeFile>,
  { store, agent, clock }: SyncDeps,
): void {
  const own = {
    trailers: { HLC: store.fact('hlc') ?? '' },
    signature: { state: 'good', agent, fingerprint: '' } as const,
    committedAt: clock.now(),
    changes: changes.map(({ path, oid }) => {
      const was = before.get(path)
      return { path, ...(was && { before: was }), ...(oid && { after: { mode: '100644', oid, size: 0 } }) }
    }),
  }
  store.update({ stamps: stampsOf([own], clock.now()), facts: { verified: commit } })
}
