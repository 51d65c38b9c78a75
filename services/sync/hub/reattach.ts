import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { judgeRange } from '#core/gate.ts'
import { mergeKey } from '#core/merge.ts'
import type { Oid, SignedCommit, TreeFile } from '#core/ports/repo.ts'
import type { BaseRow } from '#core/ports/sync-store.ts'
import { parseVaultPath, type VaultPath } from '#core/vault-path.ts'
import { allGone } from '../care/rebuild-base.ts'
import type { PlannedChange } from '../merge/plan-merge.ts'
import type { HubDeps } from '../sync-deps.ts'

/** Where our verified history and the hub's part. */
export interface Fork {
  /** The newest commit that both have; null: none. */
  readonly base: Oid | null
  /** Ours after it, oldest first; empty when the clone does not hold our verified head any more. */
  readonly own: readonly SignedCommit[]
  readonly isOwnKnown: boolean
}

const CHECK = 'history'
const NOTHING_IN_COMMON: Fork = { base: null, own: [], isOwnKnown: false }

/** How the hub's head and the verified one hang together. Both must have been fetched. */
export async function findFork(head: Oid, verified: Oid, { repo }: Pick<HubDeps, 'repo'>): Promise<Fork> {
  try {
    const [first] = await repo.commitsBetween(verified, head)
    const base = first?.parents[0] ?? null
    const own = await repo.commitsBetween(base, verified)
    return { base, own, isOwnKnown: own.at(-1)?.oid === verified || base === verified }
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_GIT_FAILED')) throw error
    return NOTHING_IN_COMMON
  }
}

/**
 * On the person's word: takes over a history of the hub that does not follow the verified one. What stands in the vault
 * becomes, where it was made after the two parted, an edit of what both had: the next rounds merge it with the hub's like
 * any other, losers kept. Our own commits are first made again one by one, so that each step of a task stays a step that
 * its rules know. The history left behind stays in the clone. Safe to repeat.
 */
export async function reattach(head: Oid | null, verified: Oid, deps: HubDeps): Promise<Finding> {
  const { repo, store, ledger, scanner } = deps
  const fork = head ? await findFork(head, verified, deps) : NOTHING_IN_COMMON
  const verdict = await judgeRange(
    repo,
    { lastVerified: fork.base, head },
    { ...(await deps.trust()), scan: deps.scan },
  )
  if (verdict.kind === 'refused') {
    const { rule = '', detail = '' } = verdict.faults[0] ?? {}
    return { check: CHECK, result: 'failed', found: `the hub's history may not enter: ${rule} ${detail}` }
  }
  if (fork.isOwnKnown) await repo.saveRef('left-behind', verified)
  await repo.saveRef('verified', fork.base)
  await deps.at('reattaching')
  const tree = await repo.treeOf(fork.base)
  store.update({
    base: fork.isOwnKnown ? await rebased(tree, await repo.treeOf(verified), deps) : allGone(deps),
    wholeHub: [...tree].map(([path, { oid, size }]) => [path as VaultPath, { oid, size }]),
    facts: {
      ...{ verified: fork.base, hub_at: fork.base, anchored: null, quarantine: null, hub_losses: null },
      ...(!fork.isOwnKnown && { based: null }),
    },
  })
  scanner.markAll()
  await ledger.append('hub.reattached', { data: { from: verified, base: fork.base ?? '', to: head ?? '' } })
  const again = head ? await makeAgain(fork.own, head, deps) : 0
  const found = `took over the hub's history from ${short(fork.base)} on; what was made here since is merged with it`
  return { check: CHECK, result: 'repaired', found: `${found}${again > 0 ? `, ${again} commits made again` : ''}` }
}

/** Of each path that changed after the two parted, the base goes back to what both had, if it had moved on with ours. */
async function rebased(
  common: ReadonlyMap<string, TreeFile>,
  ours: ReadonlyMap<string, TreeFile>,
  { store }: HubDeps,
): Promise<[VaultPath, BaseRow | null][]> {
  const rows: [VaultPath, BaseRow | null][] = []
  for (const path of new Set([...common.keys(), ...ours.keys()])) {
    const [before, after] = [common.get(path)?.oid, ours.get(path)?.oid]
    if (before === after || store.baseRow(path as VaultPath)?.oid !== after) continue
    rows.push([path as VaultPath, before ? { oid: before, identity: null } : null])
  }
  return rows
}

/** Puts our own commits on the hub's head again, without what meets a change of somebody else. Gives how many. */
async function makeAgain(commits: readonly SignedCommit[], head: Oid, deps: HubDeps): Promise<number> {
  const { repo, agent, nonce } = deps
  const tree = new Map([...(await repo.treeOf(head))].map(([path, { oid }]) => [path, oid]))
  let parent = head
  let made = 0
  for (const commit of commits) {
    if (commit.signature.state !== 'good' || commit.signature.agent !== agent) continue
    const changes = undisturbed(commit, tree)
    if (changes.length === 0) continue
    const message = commit.message.split('\n')[0] ?? ''
    parent = await repo.commitTree({ parent, changes, message, trailers: { ...commit.trailers, Nonce: nonce() } })
    made++
    for (const { path, oid } of changes) {
      if (oid === null) tree.delete(path)
      else tree.set(path, oid)
    }
  }
  if (made === 0) return 0
  const outcome = await repo.push({ commit: parent, expected: head })
  await deps.at('remade')
  // Refused or raced: the rounds that follow merge what is in the vault instead.
  return outcome.kind === 'landed' ? made : 0
}

/** The changes whose task or file still stands as the commit had found it. */
function undisturbed({ changes }: SignedCommit, tree: ReadonlyMap<string, Oid>): PlannedChange[] {
  const keyOf = (path: string) => {
    const verdict = parseVaultPath(path)
    return verdict.ok ? mergeKey(verdict.path) : path
  }
  const disturbed = new Set(
    changes.filter(({ path, before }) => tree.get(path) !== before?.oid).map(({ path }) => keyOf(path)),
  )
  return changes
    .filter(({ path }) => !disturbed.has(keyOf(path)))
    .map(({ path, after }) => ({ path: path as VaultPath, oid: after?.oid ?? null }))
}

function short(oid: Oid | null): string {
  return oid?.slice(0, 12) ?? 'its beginning'
}
