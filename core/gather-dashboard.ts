import { briefOf, doneOf, readAction } from './action.ts'
import { findAmounts, sayAmount } from './amounts.ts'
import { warningsIn } from './card.ts'
import { type DashboardFacts, inOrder, type ListedTask, type TaskFacts, type WaitingTask } from './dashboard-facts.ts'
import { fileMemory } from './file-memory.ts'
import type { OpenWork } from './gather-plans.ts'
import { findIbans, shownIban } from './iban.ts'
import { shortId, type TaskId } from './ids.ts'
import { alertsOf, doneToday, type LedgerNote, notesOf, weekDays, weekOf } from './ledger-week.ts'
import { withoutNotice } from './notice.ts'
import { type Plan, progressOf } from './plan.ts'
import { planNotePath } from './plan-note.ts'
import type { JournalPort } from './ports/journal.ts'
import type { VaultPort } from './ports/vault.ts'
import { parseTaskFile, section } from './task-file.ts'
import { DOMAINS, fileNameOf, placeOf, REVIEW_SHEET, type VaultPath, vaultPath } from './vault-path.ts'
import type { ZoneNews } from './zone-news.ts'
import { isLocalOnly } from './zone-policy.ts'

export interface DashboardPorts {
  readonly vault: Pick<VaultPort, 'list' | 'read' | 'stamp' | 'exists' | 'conflicts'>
  readonly journal: Pick<JournalPort, 'updates' | 'intentsIn'>
}

/** What the vault and the journal do not say themselves. */
export interface DashboardSources {
  /** This machine's agent, and everyone who has a ledger and may leave notes. */
  readonly agent: string
  readonly agents: readonly string[]
  /** Tasks that stand still, and why. */
  readonly held: readonly { readonly path: string; readonly say: string }[]
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[]
  readonly news: ZoneNews
  readonly now: number
  readonly work?: OpenWork
}

const SHOWN_DONE = 50
const SHOWN_UPDATES = 20
const MAX_LEDGER_BYTES = 32 * 1024 * 1024

/**
 * Gathers what the dashboard shows, again and again: a file that has not changed since the last time is not read again,
 * so that a look costs what changed and not what the vault holds.
 */
export function dashboardGatherer(ports: DashboardPorts): (sources: DashboardSources) => Promise<DashboardFacts> {
  const { vault, journal } = ports
  const readFile = fileMemory(vault)
  return async ({ agent, agents, held, problems, news, now, work }) => {
    const namesIn = async (folders: readonly string[]) =>
      (await Promise.all(folders.map((folder) => vault.list(folder)))).flat()
    const month = new Date(now).toISOString().slice(0, 7)
    const pending = await namesIn(DOMAINS.map((domain) => `Pending_Approval/${domain}`))
    const requests = await namesIn(DOMAINS.filter(isLocalOnly).map((domain) => `Needs_Action/${domain}`))
    const done = await vault.list(`Done/${month}`)
    const ledgers = agents.flatMap((one) =>
      weekDays(now).map((day) => ({ one, path: vaultPath(`Logs/${one}/${day}.jsonl`) })),
    )
    const notes = (
      await Promise.all(ledgers.map(({ one, path }) => readFile(path, readLedger(one), MAX_LEDGER_BYTES)))
    ).flat()
    const tasks = await Promise.all(pending.map(async (path) => ({ path, task: await readFile(path, readTask) })))
    const asked = await Promise.all(requests.map(async (path) => ({ path, task: await readFile(path, readRequest) })))
    const questions = new Map(
      journal.intentsIn('unknown').map(({ taskId, updatedAt }) => [taskId as string, updatedAt]),
    )
    const facts: DashboardFacts = {
      isHalted: await vault.exists(vaultPath('HALT.md')),
      hasReview: await vault.exists(REVIEW_SHEET),
      waiting: inOrder([...tasks, ...asked].map(({ path, task }) => waitingTask(path, task, questions))),
      held: held.map(({ path, say }) => ({ path, title: titleOfName(path), say })),
      plans: (work?.plans ?? []).filter(({ isOver }) => !isOver).map(listedPlan),
      handed: work?.handed ?? [],
      doneToday: await listDone(doneToday(notes, agent, now), done, (path) => readFile(path, readTask)),
      doneThisMonth: done.length,
      updates: journal.updates(SHOWN_UPDATES),
      conflicts: await vault.conflicts(),
      alerts: alertsOf(notes, agent, now),
      problems: [...problems, ...news.problems],
      news: withoutProblems(news),
      week: weekOf(notes, agent, now),
      counts: {
        needsAction: (await namesIn(DOMAINS.map((domain) => `Needs_Action/${domain}`))).length,
        inProgress: (await namesIn(agents.map((one) => `In_Progress/${one}`))).length,
        approved: (await vault.list('Approved')).length,
      },
    }
    readFile.forgetOthers()
    return facts
  }
}

function listedPlan(plan: Plan): ListedTask {
  return { path: planNotePath(plan), title: plan.title || 'a request of this machine', say: progressOf(plan) }
}

function withoutProblems({ problems: _, ...news }: ZoneNews): DashboardFacts['news'] {
  return news
}

function readLedger(agent: string): (text: string | undefined) => LedgerNote[] {
  return (text) => notesOf(agent, text ?? '')
}

/** Undefined for a file that is no readable task. */
function readTask(text: string | undefined): TaskFacts | undefined {
  const parsed = text === undefined ? undefined : parseTaskFile(withoutNotice(text))
  if (!parsed?.ok) return undefined
  const { front } = parsed.task
  const { id, generation, title, risk, drafted, created, outcome, priority } = front
  const isUrgent = priority === 'high' || priority === 'urgent'
  const action = readAction(parsed.task)
  const say = action.ok ? briefOf(action.action) : 'nothing to approve yet; the file says why'
  const warnings = warningsIn(parsed.task)
  const high = warnings.find((warning) => warning.level === 'high')
  const isOdd = risk.length > 0 || warnings.length > 0 || !action.ok
  const level = high ? 'high' : isOdd ? 'look' : 'plain'
  const why = (high ?? warnings[0])?.say
  const at = outcome?.at ?? drafted?.at ?? created
  return { id, generation, title, say, why, done: doneOf(parsed.task), level, isUrgent, at }
}

/** What stands in a domain in which nobody but the person does anything: what is asked for, as far as it can be read. */
function readRequest(text: string | undefined): TaskFacts | undefined {
  const parsed = text === undefined ? undefined : parseTaskFile(withoutNotice(text))
  if (!parsed?.ok) return undefined
  const { id, generation, title, created: at, priority } = parsed.task.front
  const original = section(parsed.task, 'original') ?? ''
  const [amount] = findAmounts(original)
  const [iban] = findIbans(original).valid
  const what = [...(amount ? [sayAmount(amount)] : []), ...(iban ? [`to ${shownIban(iban)}`] : [])].join(' ')
  const say = `${what ? `asks for ${what}; ` : ''}nothing is done about it by itself: do it, then reject the file`
  const isUrgent = priority === 'high' || priority === 'urgent'
  return { ...{ id, generation, title, say, done: '', why: undefined, level: 'look', isUrgent, at } }
}

function waitingTask(
  path: VaultPath,
  task: TaskFacts | undefined,
  questions: ReadonlyMap<string, number>,
): WaitingTask {
  const place = placeOf(path)
  const isPrivate = 'domain' in place && isLocalOnly(place.domain)
  if (!task) {
    const broken = { level: 'look', key: `broken:${fileNameOf(path)}`, isUrgent: false } as const
    const say = 'cannot be used as it stands; the file says why'
    return { ...broken, path, title: titleOfName(path), say, at: undefined, isPrivate }
  }
  const { id, generation, title, say, why, at, level, isUrgent } = task
  const listed = { path, title, say, why, isPrivate, isUrgent }
  const askedAt = questions.get(id)
  return askedAt === undefined
    ? { ...listed, at, level, key: `task:${id}:${generation}` }
    : { ...listed, at: new Date(askedAt).toISOString(), level: 'question', key: `question:${id}:${askedAt}` }
}

/** Found by the id in their names; a file that is gone from the folder of the month is not listed. */
async function listDone(
  done: readonly { task: string; at: string }[],
  paths: readonly VaultPath[],
  read: (path: VaultPath) => Promise<TaskFacts | undefined>,
): Promise<ListedTask[]> {
  const byId = new Map(paths.map((path) => [/_([0-9a-z]{6})\.md$/.exec(path)?.[1] ?? '', path]))
  const found = done.flatMap(({ task, at }) => {
    const path = byId.get(shortId(task as TaskId))
    return path === undefined ? [] : [{ path, at }]
  })
  return Promise.all(
    found.slice(0, SHOWN_DONE).map(async ({ path, at }) => {
      const task = await read(path)
      return { path, title: task?.title ?? titleOfName(path), say: task?.done ?? 'done', at }
    }),
  )
}

/** `EMAIL_2026-11-20_invoice-for-march_7h3k9q.md` → `invoice for march`. */
function titleOfName(path: string): string {
  return (path.split('_').at(-2) ?? path).replaceAll('-', ' ')
}
