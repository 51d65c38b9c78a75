import { CountersignError } from '#core/errors.ts'
import type { TaskId } from '#core/ids.ts'
import { withNotice } from '#core/notice.ts'
import { fileNameOf, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'
import { BEING_CHANGED } from './read-task.ts'

/** Why a file is of no use, for the ledger and for the person. */
export interface Refusal {
  readonly rule: string
  readonly say: string
  readonly task?: TaskId | undefined
}

/**
 * The file keeps every byte; the explanation stands before it. What was presented in it stands no more: a broken file
 * does not say any more that it was shown, and others may believe that.
 */
export async function explain(path: VaultPath, text: string, why: Refusal, deps: ExecutorDeps): Promise<undefined> {
  const explained = withNotice(text, why.say)
  if (explained === text || !deps.isQuiet(path, text)) return
  deps.journal.unpresent(fileNameOf(path))
  // Before the file says so: after a crash in between it is said twice in the ledger, and never not at all.
  await recordRefused(path, why, deps)
  if ((await deps.vault.replaceIf(path, text, explained)) !== 'replaced') return
  deps.log.info({ path }, 'explained to the person why a file cannot be used')
}

/**
 * A file that is left where it stands and not touched: the ledger tells of it once, the dashboard as long as it stands
 * there. Gives what to tell.
 */
export async function leaveAlone(path: VaultPath, { rule, say, task }: Refusal, deps: ExecutorDeps): Promise<string> {
  const before = deps.journal.leftAlone().get(path)
  if (before?.rule === rule && before.say === say) return say
  await recordRefused(path, { rule, say, task }, deps)
  deps.journal.setLeftAlone(path, { rule, say })
  deps.log.warn({ path, rule }, 'left a file where it stands')
  return say
}

/** No plain text: over 1 MiB, not UTF-8, a link … One that somebody is just writing is waited for. */
export async function leaveUnreadable(path: VaultPath, say: string, deps: ExecutorDeps): Promise<string> {
  return say === BEING_CHANGED ? say : leaveAlone(path, { rule: 'unreadable', say }, deps)
}

/** What can be read again, or is gone, is told anew when it happens again. */
export async function forgetLeft(deps: ExecutorDeps): Promise<void> {
  for (const [path, { rule }] of deps.journal.leftAlone()) {
    const at = path as VaultPath
    const lasts = rule === 'unreadable' ? await isUnreadable(at, deps) : await deps.vault.exists(at)
    if (!lasts) deps.journal.setLeftAlone(path, undefined)
  }
}

async function isUnreadable(path: VaultPath, { vault }: Pick<ExecutorDeps, 'vault'>): Promise<boolean> {
  try {
    await vault.read(path)
    return false
  } catch (error) {
    if (error instanceof CountersignError) return error.code === 'ERR_VAULT_UNREADABLE'
    throw error
  }
}

export async function recordRefused(path: VaultPath, { rule, task }: Refusal, deps: ExecutorDeps): Promise<void> {
  await deps.ledger.append('file.refused', { ...(task && { task }), data: { path: fileNameOf(path), rule } })
}
