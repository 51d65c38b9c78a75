import { CountersignError } from '#core/errors.ts'
import { makeTaskId } from '#core/ids.ts'
import { recognizeLanguage } from '#core/language.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { type DuePost, duePosts, MAX_GOALS_BYTES, type PostCalendar, readPostCalendar } from '#core/post-calendar.ts'
import { oneLine, plainMarkdown, quoteInert } from '#core/quote.ts'
import { NETWORK_NAMES } from '#core/social-text.ts'
import { newTaskFile, renderSection, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { taskFileName, taskPath, vaultPath } from '#core/vault-path.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'

export interface ScheduleDeps {
  readonly vault: Pick<VaultPort, 'read' | 'find' | 'create'>
  readonly ledger: LedgerPort
  readonly seen: Pick<SeenMail, 'has' | 'add'>
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly metrics: Pick<Metrics, 'count'>
}

const GOALS = vaultPath('Business_Goals.md')

/**
 * Makes the tasks of the posts for which `Business_Goals.md` says that it is time. Called again and again: file, ledger and
 * memory come in this order, and the file's name derives from line, day and network, so a post is asked for once, whatever
 * dies and however many do this.
 */
export function postScheduler(deps: ScheduleDeps): () => Promise<void> {
  let last: { readonly text: string; readonly calendar: PostCalendar } | undefined
  return async () => {
    const text = await readGoals(deps)
    if (last?.text !== text) {
      last = { text, calendar: readPostCalendar(text) }
      const count = last.calendar.problems.length
      if (count > 0)
        deps.log.warn({ count }, 'lines of Business_Goals.md on posts are not understood; see countersign doctor')
    }
    for (const post of duePosts(last.calendar, deps.clock.now()))
      if (!deps.seen.has(post.key)) await create(post, last.calendar.aheadMs, deps)
  }
}

async function create(post: DuePost, aheadMs: number, deps: ScheduleDeps): Promise<void> {
  const { task, fileName } = taskOf(post, aheadMs)
  const { id } = task.front
  if (!(await deps.vault.find(fileName)))
    await deps.vault.create(taskPath({ kind: 'needs-action', domain: 'social' }, fileName), renderTaskFile(task))
  await deps.ledger.append('task.created', {
    task: id,
    data: { domain: 'social', from: 'calendar', network: post.network },
  })
  deps.seen.add(post.key, { at: deps.clock.now(), taskId: id })
  deps.metrics.count('countersign_tasks_total', { outcome: 'created' })
  deps.log.info({ task: id, path: fileName }, 'a post of the calendar became a task')
}

/** The same post gives the same file, to the letter, wherever and whenever it is made. */
function taskOf(post: DuePost, aheadMs: number): { readonly task: TaskFile; readonly fileName: string } {
  const id = makeTaskId(post.at, Buffer.from(post.key, 'hex'))
  const name = NETWORK_NAMES[post.network]
  const title = `${oneLine(post.topic, 280)} (${name})`
  const language = recognizeLanguage(post.topic)
  const task = newTaskFile(
    {
      ...{ id, schema: '1', kind: 'POST', domain: 'social', title },
      ...(language && { language }),
      created: new Date(post.at - aheadMs).toISOString(),
      source: { provider: 'calendar' },
      network: post.network,
      not_before: new Date(post.at).toISOString(),
      risk: [],
      generation: '0',
      history: [],
    },
    bodyOf(post, name),
  )
  return { task, fileName: taskFileName({ kind: 'POST', dayIso: post.shownTime.slice(0, 10), title: post.topic, id }) }
}

function bodyOf({ topic, shownTime, zone }: DuePost, name: string): string {
  const asked = `Topic: ${topic}\nNetwork: ${name}\nNot before: ${shownTime} (${zone})`
  return [
    '',
    `# ${plainMarkdown(topic, 300)}`,
    '',
    `A post for ${name} that Business_Goals.md asks for, not before ${shownTime} (${plainMarkdown(zone, 60)}).`,
    '',
    renderSection('original', quoteInert(asked, { maxChars: 2_000 })),
    '',
  ].join('\n')
}

async function readGoals({ vault, log }: ScheduleDeps): Promise<string> {
  try {
    return (await vault.read(GOALS, MAX_GOALS_BYTES)) ?? ''
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')) throw error
    log.warn({ err: error }, 'no posts are planned: Business_Goals.md cannot be read')
    return ''
  }
}
