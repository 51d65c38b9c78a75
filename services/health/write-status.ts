import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Checked, foundIn, judgeDependencies, type ServiceLook } from '#core/dependencies.ts'
import { CountersignError } from '#core/errors.ts'
import type { ServiceReport } from '#core/service-report.ts'
import { type CountedError, foundDisks, makeStatus, parseSyncReport, type StatusDocument } from '#core/status.ts'
import type { HealthConfig } from './config.ts'
import { countVault } from './count-vault.ts'
import { measureDisks } from './measure-disks.ts'
import { type AddressesOf, pollTarget } from './poll-target.ts'

/** So many errors of all services are told. */
const MAX_ERRORS = 10

export interface Known {
  /** What the zone works with, as the last look found it. */
  readonly checked: readonly Checked[]
  /** What health tells of itself. */
  readonly own: ServiceReport
  /** Finds the replicas that a service's name stands for; unset: each name is one. */
  readonly addressesOf?: AddressesOf
}

/** Looks at everything once and writes `state/status.json` whole (temporary file and rename). Gives the document. */
export async function writeStatus(config: HealthConfig, known: Known, nowMs: number): Promise<StatusDocument> {
  const at = new Date(nowMs).toISOString()
  const [polled, vault, sync, disks] = await Promise.all([
    Promise.all(config.targets.map((target) => pollTarget(target, known.addressesOf))),
    countVault(config.vault, at.slice(0, 7)),
    readSyncReport(config.state),
    measureDisks({ vault: config.vault, state: config.state }),
  ])
  const services = polled.map(({ status }) => status)
  const looks = [...polled.map(({ look }) => look), { name: 'health', checks: {}, report: known.own }]
  const dependencies = [...looks.flatMap((look) => foundIn(look, nowMs)), ...foundDisks(disks)]
  const checked = judgeDependencies(dependencies, known.checked, at)
  const errors = lastErrors(looks)
  const numbers = looks.map(({ report }) => report.numbers).find((told) => told !== undefined)
  const { zone, agent } = config
  const found = { services, vault, sync, disks, checked, errors, ...(numbers && { numbers }) }
  const status = makeStatus({ zone, agent, at, ...found })
  await write(statusFile(config), join(config.state, '.status.json.tmp'), `${JSON.stringify(status, null, 2)}\n`)
  return status
}

async function write(file: string, temporary: string, text: string): Promise<void> {
  try {
    await writeFile(temporary, text)
    await rename(temporary, file)
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new CountersignError('ERR_STATE_WRITE_FAILED', `writing ${file}: ${found}`, { cause })
  }
}

function lastErrors(looks: readonly ServiceLook[]): CountedError[] {
  return looks
    .flatMap(({ name, report }) => report.errors.map((error) => ({ ...error, component: name })))
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, MAX_ERRORS)
}

export function statusFile(config: Pick<HealthConfig, 'state'>): string {
  return join(config.state, 'status.json')
}

async function readSyncReport(state: string) {
  return parseSyncReport(await readFile(join(state, 'sync-status.json'), 'utf8').catch(() => ''))
}
