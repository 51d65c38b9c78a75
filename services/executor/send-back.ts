import type { ToolName } from '#core/action.ts'
import type { Freeze } from '#core/ports/journal.ts'
import { fileNameOf, taskPath, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'
import { domainOf, type Read } from './read-task.ts'

export interface Reason {
  readonly rule: string
  readonly say: string
  /** The least generation for a new approval; unset when no use was made of this one. */
  readonly generation?: number
}

/**
 * Puts a task before the person again: journal first (what was presented counts no more, so no old tick does either),
 * then one rename to Pending_Approval. The card with the reason is written there by `presentDrafts`, never before the
 * move: a file in Approved/ is never shown anew. False when the file could not be moved.
 */
export async function sendBack(path: VaultPath, read: Read, reason: Reason, deps: ExecutorDeps): Promise<boolean> {
  const front = read.parsed.ok ? read.parsed.task.front : undefined
  const fileName = fileNameOf(path)
  deps.journal.sendBack({
    fileName,
    taskId: front?.id,
    rule: reason.rule,
    say: reason.say,
    generation: reason.generation ?? front?.generation ?? 0,
    at: deps.clock.now(),
  })
  const moved = await deps.vault.move(path, taskPath({ kind: 'pending', domain: domainOf(path, read) }, fileName))
  if (moved !== 'moved') {
    deps.log.warn({ path, rule: reason.rule, outcome: moved }, 'could not move a task back to Pending_Approval')
    return false
  }
  await deps.ledger.append('task.returned', { ...(front && { task: front.id }), data: { rule: reason.rule } })
  deps.metrics.count('countersign_tasks_total', { outcome: 'returned' })
  deps.metrics.count('countersign_returns_total', { rule: reason.rule })
  deps.log.info({ path, ...(front && { task: front.id }), rule: reason.rule }, 'put a task before the person again')
  return true
}

/** The person took a task back before it was done. */
export async function recordUndone(
  { taskId, tool }: Pick<Freeze, 'taskId' | 'tool'>,
  deps: ExecutorDeps,
): Promise<void> {
  await deps.ledger.append('task.returned', { task: taskId, data: { rule: 'undone' } })
  deps.metrics.count('countersign_executions_total', { tool: tool as ToolName, outcome: 'cancelled' })
  deps.log.info({ task: taskId }, 'taken back before it was done')
}
