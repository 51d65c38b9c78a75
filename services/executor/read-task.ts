import { CountersignError } from '#core/errors.ts'
import { decideExecution, type ExecutionVerdict } from '#core/execution.ts'
import { withoutNotice } from '#core/notice.ts'
import { type ParsedTask, parseTaskFile } from '#core/task-file.ts'
import { DOMAINS, type Domain, fileNameOf, type VaultPath, vaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'

export type ReadTask =
  | { readonly kind: 'gone' }
  /** No plain text file (a link, over 1 MiB, not UTF-8 …): it is left where it is and never touched. */
  | { readonly kind: 'unreadable'; readonly say: string }
  | { readonly kind: 'read'; readonly text: string; readonly parsed: ParsedTask }

const HALT = vaultPath('HALT.md')

/** Reads a file once; everything decided afterwards is about these bytes. */
export async function readTask(path: VaultPath, deps: Pick<ExecutorDeps, 'vault'>): Promise<ReadTask> {
  try {
    const text = await deps.vault.read(path)
    return text === undefined ? { kind: 'gone' } : { kind: 'read', text, parsed: parseTaskFile(withoutNotice(text)) }
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')
      return { kind: 'unreadable', say: `${error.message}. ${error.hint}` }
    throw error
  }
}

/**
 * Gathers the facts about an approved task and asks the pure rule. A task that is on its way back to the person (a
 * crash came before the move, or the person was faster than the new card) goes back, with that reason.
 */
export async function judge(path: VaultPath, parsed: ParsedTask, deps: ExecutorDeps): Promise<ExecutionVerdict> {
  const back = deps.journal.sentBack(fileNameOf(path))
  if (back) return { kind: 'refused', rule: back.rule, say: back.say, next: 'return' }
  const front = parsed.ok ? parsed.task.front : undefined
  const presented = front && deps.journal.presentation(front.id)
  return decideExecution({
    zone: deps.zone,
    halted: await isHalted(deps),
    parsed,
    // What was presented is one file: another one with the same id was never shown.
    presented: presented?.fileName === fileNameOf(path) ? presented : undefined,
    isSpent: front !== undefined && deps.journal.isSpent(front.id, front.generation),
    now: deps.clock.now(),
    account: deps.account,
    maxRecipients: deps.maxRecipients,
  })
}

export function isHalted(deps: Pick<ExecutorDeps, 'vault'>): Promise<boolean> {
  return deps.vault.exists(HALT)
}

/** The domain of a task, even of a broken file: what its text says, else what its kind is for. */
export function domainOf(path: VaultPath, read: { text: string; parsed: ParsedTask }): Domain {
  if (read.parsed.ok) return read.parsed.task.front.domain
  const named = /^domain: *"?([a-z]+)"? *$/m.exec(read.text)?.[1]
  const known = DOMAINS.find((domain) => domain === named)
  return known ?? (fileNameOf(path).startsWith('EMAIL_') ? 'email' : 'general')
}
