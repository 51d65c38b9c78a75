import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournalReader } from '#adapters/journal/journal-reader.ts'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { DashboardFacts } from '#core/dashboard-facts.ts'
import { type ExecutorReport, parseExecutorReport } from '#core/executor-report.ts'
import { dashboardGatherer } from '#core/gather-dashboard.ts'
import { planGatherer } from '#core/gather-plans.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { isFresh, parseStatus } from '#core/status.ts'
import { zoneNews } from '#core/zone-news.ts'
import type { ZoneHome } from './zone-home.ts'

/** What Dashboard.md shows, as vault and state stand now, and how the notices to the person are doing. */
export interface Board {
  readonly facts: DashboardFacts
  readonly notifiers: ExecutorReport['notifiers']
}

/** Reads vault and state of a local zone, whether or not anything runs, and changes nothing. */
export async function readBoard(home: ZoneHome, now: number): Promise<Board> {
  const vault = await openVault(home.vault, { isReader: true })
  using journal = openJournalReader(join(home.state, 'journal.sqlite'))
  const statusText = await readFile(join(home.state, 'status.json'), 'utf8').catch(() => '')
  const status = parseStatus(statusText)
  const isRunning =
    status !== undefined &&
    isFresh(status, now) &&
    status.services.some((service) => service.name === 'executor' && service.live)
  const report = parseExecutorReport(await readFile(join(home.state, 'executor.json'), 'utf8').catch(() => ''))
  const trusted = (await readAgents(home.trust).catch(() => [])).map(({ name }) => name)
  const facts = await dashboardGatherer({ vault, journal })({
    agent: home.agent,
    agents: [...new Set([home.agent, ...trusted])],
    held: await heldTasks(home, vault, isRunning, report),
    problems: isRunning ? (report?.problems ?? []) : [],
    news: zoneNews(statusText, now),
    now,
    work: await planGatherer(vault)(),
  })
  return { facts, notifiers: isRunning ? (report?.notifiers ?? []) : [] }
}

/** Everything between the approval and Done/, with what the executor last said of it. */
async function heldTasks(home: ZoneHome, vault: VaultPort, isRunning: boolean, report: ExecutorReport | undefined) {
  const said = new Map(report?.held.map(({ path, say }) => [path, say]))
  const paths = [...(await vault.list('Approved')), ...(await vault.list(`In_Progress/${home.agent}`))]
  const otherwise = isRunning ? 'on its way' : 'waits for the executor, which does not run'
  const elsewhere = [...said].filter(([path]) => !paths.some((one) => one === path))
  return [
    ...paths.map((path) => ({ path: path as string, say: said.get(path) ?? otherwise })),
    ...(isRunning ? elsewhere.map(([path, say]) => ({ path, say })) : []),
  ]
}
