import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DashboardFacts } from '#core/dashboard.ts'
import { isFresh, parseStatus } from '#core/status.ts'

/** What the zone's health service last told. */
export type ZoneNews = Pick<DashboardFacts, 'problems' | 'signs'>

/** The dashboard says these itself, and fresher. */
const TOLD_ELSEWHERE = /^executor |^HALT\.md |conflict copies/

/** Nothing wrong, and nobody heard of, when it never told anything; of problems only what it told of late. */
export async function zoneNews(stateDir: string, now: number): Promise<ZoneNews> {
  const status = parseStatus(await readFile(join(stateDir, 'status.json'), 'utf8').catch(() => ''))
  if (!status) return { problems: [], signs: [] }
  const signs = status.sync?.others ?? []
  if (!isFresh(status, now))
    return { problems: [`the health service has been silent since ${status.at.slice(0, 16)}Z`], signs }
  return { problems: status.problems.filter((problem) => !TOLD_ELSEWHERE.test(problem)), signs }
}
