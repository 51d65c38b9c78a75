import { type GateFault, type GateVerdict, judgeRange, printable, type Range } from '#core/gate.ts'
import { clampHlc, formatHlc, type Hlc, parseHlc, receiveHlc } from '#core/hlc.ts'
import { maskSecrets } from '#core/mask-mail.ts'
import { mergeKey } from '#core/merge.ts'
import type { FetchOutcome, Oid, SignedCommit } from '#core/ports/repo.ts'
import type { HubFile, StoreChange, SyncStore } from '#core/ports/sync-store.ts'
import { parseVaultPath, type VaultPath } from '#core/vault-path.ts'
import { standingNames } from '../merge/standing-names.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { lifeFacts } from './signs-of-life.ts'

/** What the gate said of the hub, and up to where its history may enter. */
export interface HubVerdict {
  readonly verified: Oid | null
  readonly refusal?: Refusal
}

export interface Refusal {
  /** Null when it could not even be fetched. */
  readonly head: Oid | null
  readonly faults: readonly GateFault[]
}

/** The last head that passed the gate; null when none ever did. */
export async function verifiedHead({ store, repo }: Pick<SyncDeps, 'store' | 'repo'>): Promise<Oid | null> {
  return (store.fact('verified') as Oid | undefined) ?? (await repo.readRef('verified'))
}

/**
 * Holds everything that is new at the hub against the gate. What passes is remembered as verified, with the times of
 * what it changed. What comes after the first bad commit is kept as quarantine, and the ledger says so once for each
 * head.
 */
export async function verifyHub(head: Oid | null, deps: SyncDeps): Promise<HubVerdict> {
  const { store } = deps
  const lastVerified = await verifiedHead(deps)
  await learnHub(lastVerified, deps)
  if (head !== lastVerified) {
    const verdict = await judgeHub({ lastVerified, head }, deps)
    if (verdict.kind === 'refused') {
      const refusal = { head, faults: verdict.faults }
      await quarantine(refusal, head, deps)
      return { verified: verdict.verifiedHead, refusal }
    }
  }
  if (store.fact('quarantine') !== undefined) store.update({ facts: { quarantine: null } })
  return { verified: head }
}

async function judgeHub(range: Range, deps: SyncDeps): Promise<GateVerdict> {
  const { repo, store, clock, attention } = deps
  const standing = (paths: readonly string[]) => standingNames(store, paths)
  const verdict = await judgeRange(repo, range, { ...(await deps.trust()), standing, scan: deps.scan })
  const { verifiedHead: verified, commits } = verdict
  if (verified !== range.lastVerified) {
    deps.courtesy.hear(commits)
    const nowMs = clock.now()
    const changed = takenOver(commits, nowMs)
    const facts = { verified, hub_at: verified, hlc: latestHlc(store, commits, nowMs) }
    store.update({ ...changed, facts: { ...lifeFacts(commits, nowMs), ...facts } })
    attention.wakePaths(changed.hub.keys())
  }
  return verdict
}

/** Reads the whole tree of the verified head when the store does not hold it: a new store, or one of another version. */
async function learnHub(verified: Oid | null, { repo, store, scanner }: SyncDeps): Promise<void> {
  if (verified === null || store.fact('hub_at') === verified) return
  const tree = await repo.treeOf(verified)
  store.update({
    // The gate has checked every path of a verified tree.
    wholeHub: [...tree].map(([path, { oid, size }]) => [path as VaultPath, { oid, size }]),
    facts: { hub_at: verified },
  })
  scanner.markAll()
}

/** What commits that may enter change in the store: the tree of the head, and when each file was last written. */
export function takenOver(
  commits: readonly Stampable[],
  nowMs: number,
): { readonly hub: Map<VaultPath, HubFile | null> } & StoreChange {
  const hub = new Map<VaultPath, HubFile | null>()
  for (const { changes } of commits)
    for (const { path, after } of changes)
      hub.set(path as VaultPath, after ? { oid: after.oid, size: after.size } : null)
  return { hub, stamps: stampsOf(commits, nowMs) }
}

/**
 * Remembers the verified head in the clone as well, so that the loss of the store does not open the door to a
 * rolled-back hub. At the end of a round: it is the second copy, and nobody waits for it.
 */
export async function anchorVerified(
  head: Oid | null,
  { store, repo }: Pick<SyncDeps, 'store' | 'repo'>,
): Promise<void> {
  if (head === null || store.fact('anchored') === head) return
  await repo.saveRef('verified', head)
  store.update({ facts: { anchored: head } })
}

/** Like a refusal of the gate, for objects that git itself refused; what stands before them is held against the gate. */
export async function refuseFetch(
  { reason, head, good }: Extract<FetchOutcome, { kind: 'refused' }>,
  deps: SyncDeps,
): Promise<HubVerdict> {
  const lastVerified = await verifiedHead(deps)
  await learnHub(lastVerified, deps)
  const verdict = good === null ? undefined : await judgeHub({ lastVerified, head: good }, deps)
  const refused: GateFault = { commit: null, rule: 'fetch-refused', detail: printable(reason) }
  // Of what git refused, nothing can have a ref here: the clone keeps it apart.
  const [faults, kept] = verdict?.kind === 'refused' ? [verdict.faults, good] : [[refused], null]
  await quarantine({ head, faults }, kept, deps)
  return { verified: verdict?.verifiedHead ?? lastVerified, refusal: { head, faults } }
}

export async function refuseHead(
  head: Oid | null,
  faults: readonly GateFault[],
  deps: Pick<SyncDeps, 'store' | 'repo' | 'ledger'>,
): Promise<HubVerdict> {
  await quarantine({ head, faults }, head, deps)
  return { verified: await verifiedHead(deps), refusal: { head, faults } }
}

async function quarantine(
  { head, faults }: Refusal,
  kept: Oid | null,
  deps: Pick<SyncDeps, 'store' | 'repo' | 'ledger'>,
): Promise<void> {
  const { store, repo, ledger } = deps
  const name = head ?? `none:${faults[0]?.detail ?? ''}`
  if (store.fact('quarantine') === name) return
  await repo.saveRef('quarantine', kept)
  const [first] = faults
  // The name of a file may be a stranger's token: in the ledger it would keep that back.
  const detail = maskSecrets(first?.detail ?? '').text
  await ledger.append('gate.refused', {
    data: { head: head ?? '', rule: first?.rule ?? '', detail, faults: faults.length },
  })
  store.update({ facts: { quarantine: name } })
}

export type Stampable = Pick<SignedCommit, 'changes' | 'trailers' | 'signature' | 'committedAt'>

/** When each changed file was last written, and by whom: the signer's clock reading, cut back when it runs ahead. */
export function stampsOf(commits: readonly Stampable[], nowMs: number): Map<string, string> {
  const stamps = new Map<string, string>()
  for (const commit of commits) {
    const hlc = formatHlc(clampHlc(hlcOf(commit), nowMs))
    const gone = new Set(commit.changes.flatMap(({ before, after }) => (before && !after ? [before.oid] : [])))
    for (const { path, after } of commit.changes) {
      const verdict = parseVaultPath(path)
      // A move alone is no writing.
      if (after && verdict.ok && !gone.has(after.oid)) stamps.set(mergeKey(verdict.path), hlc)
    }
  }
  return stamps
}

function hlcOf({ trailers, signature, committedAt }: Stampable): Hlc {
  const claimed = parseHlc(trailers.HLC ?? '')
  const agent = signature.state === 'good' ? signature.agent : 'unknown'
  return claimed ? { ...claimed, agent } : { ms: committedAt, counter: 0, agent }
}

function latestHlc(store: SyncStore, commits: readonly SignedCommit[], nowMs: number): string | null {
  let last = parseHlc(store.fact('hlc') ?? '')
  for (const commit of commits) last = receiveHlc(last, hlcOf(commit), nowMs)
  return last ? formatHlc(last) : null
}
