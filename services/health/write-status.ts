import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeStatus, parseSyncReport, type StatusDocument } from '#core/status.ts'
import type { HealthConfig } from './config.ts'
import { countVault } from './count-vault.ts'
import { measureDisks } from './measure-disks.ts'
import { pollTarget } from './poll-target.ts'

/** Looks at everything once and writes `state/status.json` whole (temporary file and rename). Gives the document. */
export async function writeStatus(config: HealthConfig, nowMs: number): Promise<StatusDocument> {
  const at = new Date(nowMs).toISOString()
  const [services, vault, sync, disks] = await Promise.all([
    Promise.all(config.targets.map(pollTarget)),
    countVault(config.vault, at.slice(0, 7)),
    readSyncReport(config.state),
    measureDisks({ vault: config.vault, state: config.state }),
  ])
  const status = makeStatus({ zone: config.zone, agent: config.agent, at, services, vault, sync, disks })
  const temporary = join(config.state, '.status.json.tmp')
  await writeFile(temporary, `${JSON.stringify(status, null, 2)}\n`)
  await rename(temporary, statusFile(config))
  return status
}

export function statusFile(config: Pick<HealthConfig, 'state'>): string {
  return join(config.state, 'status.json')
}

async function readSyncReport(state: string) {
  return parseSyncReport(await readFile(join(state, 'sync-status.json'), 'utf8').catch(() => ''))
}
