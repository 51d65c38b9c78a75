import { mergeKey } from '#core/merge.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { SyncAnswer } from '#core/sync-request.ts'
import { placeOf, type TaskPlace, type VaultPath } from '#core/vault-path.ts'
import { isLocalOnly } from '#core/zone-policy.ts'
import { hasStayed } from '../merge/private-keys.ts'
import type { SyncDeps } from '../sync-deps.ts'

/** A task where it stands: at the hub once the merge has landed, or in this work tree. */
export interface Standing {
  readonly path: VaultPath
  readonly oid: Oid
  readonly place: TaskPlace
}

/** The rule by which a task stays where it is whose file has no room for who holds it. One file must not stop the others. */
export const NO_ROOM = 'task-file-full'
export const SAY_NO_ROOM = 'Its front matter has no room for another entry: shorten it by hand.'

export function refusal(rule: string, say: string): SyncAnswer {
  return { kind: 'refused', rule, say }
}

/** As it was last seen in the work tree; nothing where it is not in one place. */
export function standsHere(file: string, { scanner }: SyncDeps): Standing | undefined {
  const found = [...scanner.view.ours([file])]
  const [first] = found
  if (!first || found.length > 1) return undefined
  const [path, { oid }] = first
  return { path, oid, place: placeOf(path) as TaskPlace }
}

/** Neither the hub nor any push that was ever begun has had it. */
export function isOnlyHere(key: string, { store }: SyncDeps): boolean {
  const isSent = store.intents().some(({ rows }) => rows.some(({ path }) => mergeKey(path) === key))
  return !isSent && store.baseOf([key]).size === 0 && store.hubOf([key]).size === 0
}

/** Of the local zone's own domains. */
export function isPrivate(path: VaultPath, deps: SyncDeps): boolean {
  const place = placeOf(path)
  return hasStayed(mergeKey(path), deps) || ('domain' in place && isLocalOnly(place.domain))
}

/** Whether a task is none of the hub's business, however well it can be reached. */
export function isOwnMatter(file: string, deps: SyncDeps): boolean {
  const found = deps.zone === 'local' && !deps.carriesPrivate ? standsHere(file, deps) : undefined
  return found !== undefined && isPrivate(found.path, deps) && isOnlyHere(file, deps)
}
