import { formatHlc, parseHlc, tickHlc } from '#core/hlc.ts'
import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Oid, PushOutcome, TreeFile } from '#core/ports/repo.ts'
import type { PushIntent } from '#core/ports/sync-store.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'
import type { ClaimPlan, PlannedCommit } from './claim-tasks.ts'
import type { MergePlan, PlannedChange } from './plan-merge.ts'
import { landing } from './settle-intents.ts'
import type { SyncDeps } from './sync-deps.ts'
import { takenOver } from './verify-hub.ts'

/** One commit for what changed here, one for what is given back and one for the claims; pushed together. */
export async function commitPlan(
  plan: MergePlan,
  claims: ClaimPlan,
  head: Oid | null,
  deps: SyncDeps,
): Promise<{ readonly commit: Oid; readonly hlc: string }> {
  const { repo, store, agent, clock, nonce, courtesy } = deps
  // As near to the time of writing as causality allows: a file edited offline is as old as its edit.
  const written = plan.changes.flatMap(({ path }) => {
    const { identity } = plan.ours.get(path) ?? {}
    return identity ? [Number(BigInt(identity.mtimeNs) / 1_000_000n)] : []
  })
  const physicalMs = Math.min(clock.now(), written.length > 0 ? Math.max(...written) : clock.now())
  const merge: PlannedCommit = {
    message: `Sync ${plan.changes.length} ${plan.changes.length === 1 ? 'path' : 'paths'} from ${agent}`,
    trailers: {},
    changes: plan.changes,
  }
  let hlc = parseHlc(store.fact('hlc') ?? '')
  let parent = head
  for (const { message, trailers, changes } of [merge, ...claims.commits]) {
    if (changes.length === 0) continue
    hlc = tickHlc(hlc, changes === plan.changes ? physicalMs : clock.now(), agent)
    const took = courtesy.took()
    const more = { Nonce: nonce(), HLC: formatHlc(hlc), ...(took !== undefined && { Took: `${took}` }) }
    parent = await repo.commitTree({ parent, changes, message, trailers: { ...trailers, ...more } })
  }
  return { commit: parent as Oid, hlc: hlc ? formatHlc(hlc) : '' }
}

/** Our own commits passed the ownership check before they were made: they are verified by having landed. */
export async function takeOverOwn(
  intent: PushIntent,
  changes: readonly PlannedChange[],
  hlc: string,
  { store, agent, clock, repo }: SyncDeps,
): Promise<void> {
  const before = store.hubOf(changes.map(({ path }) => mergeKey(path)))
  const fileOf = async (path: VaultPath, oid: Oid): Promise<TreeFile> => {
    const size = (await repo.readBlob(oid, maxBytesOf(placeOf(path)))).length
    return { mode: '100644', oid, size }
  }
  const own = {
    trailers: { HLC: hlc },
    signature: { state: 'good', agent, fingerprint: '' } as const,
    committedAt: clock.now(),
    changes: await Promise.all(
      changes.map(async ({ path, oid }) => {
        const was = before.get(path)
        return {
          path,
          ...(was && { before: { mode: '100644', ...was } }),
          ...(oid && { after: await fileOf(path, oid) }),
        }
      }),
    ),
  }
  const taken = takenOver([own], clock.now())
  const landed = landing(intent, { store })
  store.update({ ...taken, ...landed, facts: { ...landed.facts, verified: intent.commit, hub_at: intent.commit } })
}

/** Written down before it is begun: after a crash, the hub's history tells whether it landed. */
export async function pushIntent(intent: PushIntent, hlc: string, { repo, store, at }: SyncDeps): Promise<PushOutcome> {
  store.update({ addIntent: intent, facts: { hlc } })
  await at('committed')
  const outcome = await repo.push({ commit: intent.commit, expected: intent.parent })
  await at('pushed')
  if (outcome.kind === 'rejected' && outcome.cause === 'refused') store.update({ removeIntents: [intent.commit] })
  return outcome
}
