import type { BackupManifest } from '#core/backup-manifest.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { Snapshot } from '#core/ports/backup-store.ts'
import type { PutBack, PutBackPlan } from '#core/ports/put-back.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { BackupDeps } from './deps.ts'
import { fetchAndCompare, LEDGERS } from './drill.ts'

/** What putting a backup back works with, beside what looking at it does. */
export interface RestoreDeps {
  readonly backup: BackupDeps
  /** The home it goes into. */
  readonly home: string
  /** The zone whose home this is; undefined: none yet. */
  readonly zoneHere: Zone | undefined
  /** Whether a backup may be put here at all. */
  mayHold(): Promise<boolean>
  /** What shows that services work on it now; undefined: nothing does. */
  signOfUse(): Promise<string | undefined>
  readonly place: PutBack
  /** Makes the repositories of the bundles, in their places, puts Odoo's dump aside, and takes away what only a backup needs. */
  unpack(folder: string, manifest: BackupManifest): Promise<void>
  /** Nothing approved before is done by itself any more: marked in the folder, before it is anybody's zone. */
  bumpRestoreEpoch(folder: string, made: string): Promise<void>
}

export type RestoreOptions = {
  /** The beginning of a snapshot's id; without it the newest. */
  readonly snapshot?: string
  readonly zone?: string
}

export type RestoreOutcome = {
  readonly plan: PutBackPlan
  /** It began earlier, and was interrupted. */
  readonly isResumed: boolean
  readonly findings: readonly Finding[]
}

/**
 * Puts a backup back into an empty or stopped zone home. Nothing that is there is touched before all of the backup has
 * been fetched, held against its manifest, unpacked and given a new restore epoch; what was there is kept aside. Interrupted
 * before that, it begins anew; after it, the next run finishes it. Throws ERR_RESTORE_REFUSED, and as `BackupStore`.
 */
export async function restore(deps: RestoreDeps, options: RestoreOptions): Promise<RestoreOutcome> {
  await using _ = await deps.backup.oneAtATime()
  const begun = await deps.place.plan()
  await refuseUse(deps)
  if (begun) {
    await deps.place.finish(begun)
    return { plan: begun, isResumed: true, findings: [] }
  }
  if (!(await deps.mayHold())) throw refused(`${deps.home} is not empty, and no zone home: name another with --home`)
  const snapshot = chosenOf(await deps.backup.store.list(), options)
  if (deps.zoneHere && deps.zoneHere !== snapshot.zone)
    throw refused(`${deps.home} is a home of the ${deps.zoneHere} zone, and the backup is of the ${snapshot.zone} zone`)
  await deps.place.begin()
  try {
    const findings = await fetchWhole(deps, snapshot)
    // Fetching takes a while.
    await refuseUse(deps)
    const { id, zone, agent, at: made } = snapshot
    const at = new Date(deps.backup.clock.now()).toISOString()
    const plan = await deps.place.commit({ snapshot: id, zone: zone as Zone, agent, made, at })
    await deps.place.finish(plan)
    return { plan, isResumed: false, findings }
  } catch (error) {
    if (!(await deps.place.plan())) await deps.place.abandon()
    throw error
  }
}

async function fetchWhole(deps: RestoreDeps, snapshot: Snapshot): Promise<readonly Finding[]> {
  const { zoneFolder } = deps.place
  const { findings, manifest } = await fetchAndCompare(deps.backup, snapshot, zoneFolder)
  // A ledger that was harmed before the backup was made must not keep everything else from coming back.
  const faults = findings.filter(({ result, check }) => result === 'failed' && check !== LEDGERS)
  if (!manifest || faults.length > 0) {
    const found = faults.map(({ check, found }) => `${check}: ${found}`).join('; ')
    throw new CountersignError('ERR_BACKUP_DAMAGED', `restoring ${snapshot.id.slice(0, 8)} of ${snapshot.at}: ${found}`)
  }
  if (manifest.zone !== snapshot.zone) throw refused(`the backup says that it is of the ${manifest.zone} zone`)
  await deps.unpack(zoneFolder, manifest)
  await deps.bumpRestoreEpoch(zoneFolder, manifest.made)
  return findings
}

function chosenOf(list: readonly Snapshot[], { snapshot, zone }: RestoreOptions): Snapshot {
  const known = list.filter((one) => ['cloud', 'local'].includes(one.zone) && (zone === undefined || one.zone === zone))
  const matching = snapshot === undefined ? known : known.filter(({ id }) => id.startsWith(snapshot))
  const agents = new Set(matching.map(({ agent, zone }) => `${agent} (${zone})`))
  if (agents.size > 1)
    throw new CountersignError(
      'ERR_USAGE',
      `there are backups of ${[...agents].join(' and ')}: say --zone or --snapshot`,
    )
  const newest = matching.at(-1)
  if (!newest) throw new CountersignError('ERR_BACKUP_NONE', 'looked for a backup to restore: there is none that fits')
  return newest
}

async function refuseUse({ home, signOfUse }: RestoreDeps): Promise<void> {
  const sign = await signOfUse()
  if (sign) throw refused(`${home} is in use: ${sign}`)
}

function refused(found: string): CountersignError {
  return new CountersignError('ERR_RESTORE_REFUSED', `restoring: ${found}`)
}
