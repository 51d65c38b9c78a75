import { briefOf, doneOf, readAction } from '#core/action.ts'
import { type DashboardFacts, type DashboardTask, renderDashboard } from '#core/dashboard.ts'
import { DOMAINS, fileNameOf, type VaultPath, vaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps, Held } from './deps.ts'
import { isHalted, readTask } from './read-task.ts'

const DASHBOARD = vaultPath('Dashboard.md')
const SHOWN_DONE = 15
const SHOWN_UPDATES = 20
const MAX_UPDATE_BYTES = 16 * 1024

export interface DashboardSources {
  /** Everyone who may leave notes in Updates/. */
  readonly agents: readonly string[]
  readonly held: readonly Held[]
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[]
  readonly signs: DashboardFacts['signs']
}

/**
 * Rebuilds Dashboard.md, whose only writer this is, from the vault and the journal. Notes in Updates/ are taken over
 * into the journal and removed. Running it again changes nothing, and a file that would not change is not written.
 */
export async function updateDashboard(sources: DashboardSources, deps: ExecutorDeps): Promise<void> {
  for (const agent of sources.agents) await mergeUpdates(agent, deps)
  const month = new Date(deps.clock.now()).toISOString().slice(0, 7)
  const waiting = await pathsIn(
    DOMAINS.map((domain) => `Pending_Approval/${domain}`),
    deps,
  )
  const done = await deps.vault.list(`Done/${month}`)
  const text = renderDashboard({
    waiting: await Promise.all(waiting.map((path) => describeWaiting(path, deps))),
    held: sources.held.map(({ path, say }) => ({ path, title: titleOfName(path), say })),
    done: await describeDone(done, deps),
    updates: deps.journal.updates(SHOWN_UPDATES),
    conflicts: await deps.vault.conflicts(),
    isHalted: await isHalted(deps),
    problems: sources.problems,
    signs: sources.signs,
    counts: {
      needsAction: (
        await pathsIn(
          DOMAINS.map((domain) => `Needs_Action/${domain}`),
          deps,
        )
      ).length,
      inProgress: (
        await pathsIn(
          sources.agents.map((agent) => `In_Progress/${agent}`),
          deps,
        )
      ).length,
      waiting: waiting.length,
      doneThisMonth: done.length,
    },
  })
  if ((await deps.vault.read(DASHBOARD).catch(() => undefined)) !== text) await deps.vault.replace(DASHBOARD, text)
}

/** Journal first, then the file goes: a crash between the two merges the same note again, which changes nothing. */
async function mergeUpdates(agent: string, deps: ExecutorDeps): Promise<void> {
  for (const path of await deps.vault.list(`Updates/${agent}`)) {
    const text = await deps.vault.read(path, MAX_UPDATE_BYTES).catch(() => '(a note that cannot be read)')
    if (text === undefined) continue
    deps.journal.keepUpdate({ agent, name: fileNameOf(path), text: text.slice(0, 2_000) })
    await deps.vault.remove(path)
  }
}

async function pathsIn(folders: readonly string[], deps: ExecutorDeps): Promise<VaultPath[]> {
  return (await Promise.all(folders.map((folder) => deps.vault.list(folder)))).flat()
}

async function describeWaiting(path: VaultPath, deps: ExecutorDeps): Promise<DashboardTask> {
  const read = await readTask(path, deps)
  if (read.kind !== 'read' || !read.parsed.ok)
    return { path, title: titleOfName(path), say: 'cannot be used as it stands; the file says why' }
  const { front } = read.parsed.task
  const action = readAction(read.parsed.task)
  const risk = front.risk.length > 0 ? ', look closely' : ''
  const say = action.ok ? `${briefOf(action.action)}${risk}` : 'nothing to approve yet; the file says why'
  return { path, title: front.title, say, at: front.drafted?.at ?? front.created }
}

/** The newest by the day in their names, then by when they were done. */
async function describeDone(paths: readonly VaultPath[], deps: ExecutorDeps): Promise<DashboardTask[]> {
  const dayOf = (path: string) => path.split('_')[1] ?? ''
  const newest = paths.toSorted((a, b) => (dayOf(a) < dayOf(b) ? 1 : -1)).slice(0, SHOWN_DONE)
  const tasks = await Promise.all(
    newest.map(async (path): Promise<DashboardTask> => {
      const read = await readTask(path, deps)
      if (read.kind !== 'read' || !read.parsed.ok) return { path, title: titleOfName(path), say: 'done' }
      const { title, outcome } = read.parsed.task.front
      return { path, title, say: doneOf(read.parsed.task), at: outcome?.at }
    }),
  )
  return tasks.toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? 1 : -1))
}

/** `EMAIL_2026-11-20_invoice-for-march_7h3k9q.md` → `invoice for march`. */
function titleOfName(path: string): string {
  return (path.split('_').at(-2) ?? path).replaceAll('-', ' ')
}
