import { createHash } from 'node:crypto'
import { gaveBack, mayClaim } from '#core/claim.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { type Domain, fileNameOf, isConflictCopy } from '#core/vault-path.ts'
import type { Asking } from './give-back-through-sync.ts'

export interface ClaimOpenDeps {
  readonly vault: Pick<VaultPort, 'list' | 'read'>
  readonly agent: string
  readonly asking: Pick<Asking, 'ask' | 'answerTo' | 'open'>
  /** Wakes sync. */
  ring(): Promise<void>
}

const MAX_AT_ONCE = 50

/**
 * Asks the zone's sync for the open tasks of these domains: the local zone claims nothing without being asked. What this
 * agent gave back is left to the person's word. Once for each task and generation: the request's id derives from them.
 */
export async function claimOpen(domains: readonly Domain[], deps: ClaimOpenDeps): Promise<void> {
  const asked = new Set((await deps.asking.open()).map(({ id }) => id))
  let count = 0
  for (const path of (await Promise.all(domains.map((one) => deps.vault.list(`Needs_Action/${one}`)))).flat()) {
    if (count >= MAX_AT_ONCE) break
    if (isConflictCopy(path)) continue
    const parsed = parseTaskFile((await deps.vault.read(path).catch(() => undefined)) ?? '')
    if (!parsed.ok || !mayClaim(parsed.task, deps.agent) || gaveBack(parsed.task, deps.agent)) continue
    const { id: task, generation } = parsed.task.front
    const id = createHash('sha256').update(`${task}/${generation}/claim`).digest('hex').slice(0, 32)
    if (asked.has(id) || (await deps.asking.answerTo(id)) !== undefined) continue
    await deps.asking.ask({ kind: 'claim', id, task, file: fileNameOf(path) })
    count++
  }
  if (count > 0) await deps.ring()
}
