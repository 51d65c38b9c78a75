import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { askMaintenance, maintenanceReport } from '#adapters/state-files/maintenance.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { MaintenanceKind } from '#core/maintenance.ts'
import type { Cli } from './cli.ts'
import { ringSync } from './ring-sync.ts'
import { repairOffline, verifyOffline } from './sync-offline.ts'
import type { ZoneHome } from './zone-home.ts'

/** Reading a large vault and its whole history takes minutes on a slow disk. */
const ANSWER_LIMIT_MS = 30 * 60_000
const LOOK_MS = 200

/**
 * Does it here when sync does not run, under the lock that sync would hold; else has the running sync do it between two
 * rounds, and waits. Throws ERR_NOT_RUNNING when that does not answer.
 */
export async function maintain(home: ZoneHome, kind: MaintenanceKind, cli: Cli): Promise<Finding[]> {
  try {
    return await (kind === 'verify' ? verifyOffline(home) : repairOffline(home, kind === 'reset-hub'))
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_CLONE_IN_USE')) throw error
  }
  cli.say('Sync runs: it does this between two rounds.')
  const id = randomBytes(16).toString('hex')
  await askMaintenance(home.state, { id, kind })
  await ring(home, cli.env)
  const deadline = Date.now() + ANSWER_LIMIT_MS
  while (Date.now() < deadline) {
    const report = await maintenanceReport(home.state)
    if (report?.id === id) return [...report.findings]
    await delay(LOOK_MS)
  }
  throw new CountersignError('ERR_NOT_RUNNING', `asking the sync of ${home.root}: no answer`)
}

/** It looks by itself every few seconds, too: without the bell it only takes a little longer. */
async function ring(home: ZoneHome, env: Cli['env']): Promise<void> {
  try {
    await ringSync(home, env)
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
  }
}
