import { mergeKey } from '#core/merge.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { Claim, PushIntent, StoreChange } from '#core/ports/sync-store.ts'
import type { SyncDeps } from '../sync-deps.ts'

/**
 * Decides the pushes that were begun, by the hub's history alone: a commit in it has landed, whatever the push had
 * answered; what it carried becomes the base, its claims are to be announced. A commit whose parent the hub has left
 * behind can never land any more. Any other may still be on its way.
 */
export async function settleIntents(head: Oid | null, { repo, store, scanner, attention }: SyncDeps): Promise<void> {
  if (head === null) return
  for (const intent of store.intents()) {
    if (intent.commit === head || (await repo.isAncestor(intent.commit, head))) {
      store.update(landing(intent, { store }))
      const keys = intent.rows.map(({ path }) => mergeKey(path))
      scanner.view.settle(keys)
      attention.wake(keys)
    } else if (intent.parent !== head) store.update({ removeIntents: [intent.commit] })
  }
}

/** What it means for the store that a push has landed: what it carried is the base, its claims are to be announced. */
export function landing({ commit, rows, claims }: PushIntent, { store }: Pick<SyncDeps, 'store'>): StoreChange {
  return {
    base: rows.map(({ path, row }) => [path, row] as const),
    removeIntents: [commit],
    ...(claims.length > 0 && { facts: { landed_claims: JSON.stringify([...landedClaims({ store }), ...claims]) } }),
  }
}

/** Claims that landed and were not announced yet. */
export function landedClaims({ store }: Pick<SyncDeps, 'store'>): Claim[] {
  return JSON.parse(store.fact('landed_claims') ?? '[]') as Claim[]
}
