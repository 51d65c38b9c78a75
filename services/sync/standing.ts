import type { Oid } from '#core/ports/repo.ts'
import type { SyncAnswer } from '#core/sync-request.ts'
import type { TaskPlace, VaultPath } from '#core/vault-path.ts'

/** A task as the hub will have it once the merge has landed. */
export interface Standing {
  readonly path: VaultPath
  readonly oid: Oid
  readonly place: TaskPlace
}

export function refusal(rule: string, say: string): SyncAnswer {
  return { kind: 'refused', rule, say }
}
