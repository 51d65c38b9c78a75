import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CountersignError } from '#core/errors.ts'
import { type LedgerEntry, parseLedgerLine } from '#core/ledger.ts'
import type { VaultPath } from '#core/vault-path.ts'
import { type FoundTask, findTask, moveAsPerson } from './tasks.ts'
import type { ZoneHome } from './zone-home.ts'

export interface TakenBack {
  readonly task: string | undefined
  readonly path: VaultPath
  /** `undone`: surely nothing was done. `unheard`: the executor did not say so in time. */
  readonly known: 'undone' | 'unheard'
}

/** The executor sees the move within half a second; a mail that is on its way takes the server's time. */
const ANSWER_LIMIT_MS = 10_000
const LOOK_EVERY_MS = 200

/**
 * Moves an approved task back before the person and waits for the executor's word on it. Throws ERR_TASK_STATE when it
 * is not on its way, or was being done already; ERR_TASK_NOT_FOUND, ERR_ZONE_FORBIDDEN.
 */
export async function takeBack(home: ZoneHome, reference: string, limitMs = ANSWER_LIMIT_MS): Promise<TakenBack> {
  const found = await findTask(home, reference)
  if (!isOnItsWay(found, home))
    throw new CountersignError('ERR_TASK_STATE', `taking back ${found.path}: it was not approved, or is over already`)
  const path = await moveAsPerson(home, found, { kind: 'pending', domain: found.task?.front.domain ?? 'general' })
  const task = found.task?.front.id
  // Out of Approved/, nothing had begun.
  const known = found.place.kind === 'approved' ? 'undone' : await answerOf(task, home, limitMs)
  if (known !== 'too-late') return { task, path, known }
  throw new CountersignError(
    'ERR_TASK_STATE',
    `taking back ${found.path}: it was being done already; the file says what came of it`,
  )
}

function isOnItsWay({ place }: FoundTask, home: ZoneHome): boolean {
  return place.kind === 'approved' || (place.kind === 'in-progress' && place.agent === home.agent)
}

async function answerOf(
  task: string | undefined,
  home: ZoneHome,
  limitMs: number,
): Promise<'undone' | 'too-late' | 'unheard'> {
  const deadline = performance.now() + limitMs
  while (task !== undefined && performance.now() < deadline) {
    const last = await lastWord(task, home)
    if (last?.type === 'execution.done' || last?.type === 'execution.unknown') return 'too-late'
    if (last?.type === 'task.returned' && !String(last.data?.rule).startsWith('outcome-')) return 'undone'
    await delay(LOOK_EVERY_MS)
  }
  return 'unheard'
}

/** What the executor last wrote of the task into its ledger, but for cards. */
async function lastWord(task: string, { vault, agent }: ZoneHome): Promise<LedgerEntry | undefined> {
  const folder = join(vault, 'Logs', agent)
  const newest = (await readdir(folder)).sort().slice(-2)
  const texts = await Promise.all(newest.map((name) => readFile(join(folder, name), 'utf8')))
  const entries = texts.join('').split('\n').map(parseLedgerLine)
  return entries.findLast((entry) => entry?.task === task && entry.type !== 'draft.presented')
}
