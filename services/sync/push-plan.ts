import { formatHlc, parseHlc, tickHlc } from '#core/hlc.ts'
import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Oid, PushOutcome, TreeFile } from '#core/ports/repo.ts'
import type { PushIntent } from '#core/ports/sync-store.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'
import type { ClaimPlan } from './claim-tasks.ts'
import type { MergePlan, PlannedChange } from './plan-merge.ts'
import { landing } from './settle-intents.ts'
import type { SyncDeps } from './sync-deps.ts'
import { takenOver } from './verify-hub.ts'

/** One commit for what changed here and one for the claims, so that each says one thing; pushed together. */
export async function commitPlan(
  plan: MergePlan,
  claims: ClaimPlan,
  head: Oid | null,
  deps: SyncDeps,
): Promise<{ readonly commit: Oid; readonly hlc: string }> {
  const { repo, store, agent, clock, nonce } = deps
  // As near to the time of writing as causality allows: a file edited offline is as old as its edit.
  const written = plan.changes.flatMap(({ path }) => {
    const { identity } = plan.ours.get(path) ?? {}
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
  return { commit: parent as Oid, hlc: formatHlc(hlc) }
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
