import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Oid, PushOutcome, TreeFile } from '#core/ports/repo.ts'
import type { PushIntent } from '#core/ports/sync-store.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'
import type { PlannedChange } from '../merge/plan-merge.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { landing } from './settle-intents.ts'
import { takenOver } from './verify-hub.ts'

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
export async function pushIntent(intent: PushIntent, hlc: string, deps: SyncDeps): Promise<PushOutcome> {
  const { repo, store, at } = deps
  store.update({ addIntent: intent, facts: { hlc } })
  await at('committed')
  const outcome = await repo.push({ commit: intent.commit, expected: intent.parent })
  if (outcome.kind !== 'unknown') deps.attention.hubReachedAt = deps.clock.now()
  await at('pushed')
  if (outcome.kind === 'rejected' && outcome.cause !== 'raced') store.update({ removeIntents: [intent.commit] })
  return outcome
}
