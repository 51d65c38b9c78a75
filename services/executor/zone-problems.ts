import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isFresh, parseStatus } from '#core/status.ts'

/** The dashboard says these itself, and fresher. */
const TOLD_ELSEWHERE = /^executor |^HALT\.md |conflict copies/

/** What the zone's health service last found wrong; nothing when it said nothing of late. */
export async function zoneProblems(stateDir: string, now: number): Promise<string[]> {
  const status = parseStatus(await readFile(join(stateDir, 'status.json'), 'utf8').catch(() => ''))
  if (!status) return []
  if (!isFresh(status, now)) return [`the health service has been silent since ${status.at.slice(0, 16)}Z`]
  return status.problems.filter((problem) => !TOLD_ELSEWHERE.test(problem))
}
