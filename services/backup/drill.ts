import { type BackupManifest, compareContents, DAMAGED_HINT, parseManifest } from '#core/backup-manifest.ts'
import { type BackupStatus, failedRun, isStopped } from '#core/backup-status.ts'
import { CountersignError, messageOf } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { Snapshot } from '#core/ports/backup-store.ts'
import type { BackupDeps } from './deps.ts'

export type DrillOptions = {
  /** The beginning of a snapshot's id; without it the newest. */
  readonly snapshot?: string
  /** One of four parts of the stored data; without it all of it is read. */
  readonly part?: number
}

export type DrillOutcome = {
  readonly ok: boolean
  readonly snapshot?: Snapshot
  readonly findings: readonly Finding[]
}

/** The name of the finding that says whether the ledgers verify. */
export const LEDGERS = 'ledgers'
const NOT_TRIED: Finding = { check: 'restore', result: 'skipped', found: 'not tried, as what is stored is damaged' }

/**
 * Puts a backup back in a scratch place, and holds it against what was written down when it was made. Damage is a finding;
 * that the target cannot be asked is an error (see `BackupStore`). Either is remembered.
 */
export async function drill(deps: BackupDeps, options: DrillOptions = {}): Promise<DrillOutcome> {
  await using _ = await deps.oneAtATime()
  const at = new Date(deps.clock.now()).toISOString()
  const outcome = await lookAt(deps, options).catch(async (error: unknown) => {
    // A trial that was ended half way is due as it was before.
    if (!isStopped(error)) await remember(deps, at, messageOf(error))
    throw error
  })
  const failed = outcome.findings.filter(({ result }) => result === 'failed')
  await remember(
    deps,
    at,
    failed.length > 0 ? failed.map(({ check, found }) => `${check}: ${found}`).join('; ') : undefined,
    outcome.snapshot?.id,
  )
  return { ...outcome, ok: failed.length === 0 }
}

async function lookAt(deps: BackupDeps, { snapshot, part }: DrillOptions): Promise<Omit<DrillOutcome, 'ok'>> {
  const status = await deps.status.load()
  const found = await deps.store.id()
  if (found === undefined)
    throw new CountersignError(
      'ERR_BACKUP_UNREACHABLE',
      `looking for the backups in ${deps.store.target}: none are there`,
    )
  const findings: Finding[] = []
  const isKnown = status.repository?.target === deps.store.target
  if (isKnown && status.repository?.id !== found)
    findings.push({ check: 'target', result: 'failed', found: 'another repository stands there than the one known' })
  const list = await listed(deps, findings)
  findings.push(missingFinding(isKnown ? (status.snapshots ?? []) : [], list))
  findings.push(
    await damage('stored data', () => deps.store.check(part), 'everything that was read is what was written'),
  )
  const isDamaged = findings.some(({ check, result }) => check === 'stored data' && result === 'failed')
  const chosen = snapshot === undefined ? list.at(-1) : list.find(({ id }) => id.startsWith(snapshot))
  if (!chosen) {
    findings.push({
      check: 'snapshot',
      result: 'failed',
      found: snapshot === undefined ? 'there is no backup of this zone' : `there is none that begins with ${snapshot}`,
    })
    return { findings }
  }
  if (isDamaged) return { snapshot: chosen, findings: [...findings, NOT_TRIED] }
  await using scratch = await deps.scratch('drill')
  findings.push(...(await fetchAndCompare(deps, chosen, scratch.path)).findings)
  return { snapshot: chosen, findings }
}

/** Fetches a snapshot into an empty folder and holds it against its manifest. */
export async function fetchAndCompare(
  deps: BackupDeps,
  snapshot: Snapshot,
  folder: string,
): Promise<{ findings: readonly Finding[]; manifest?: BackupManifest }> {
  const fetched = await damage('restore', () => deps.store.restore(snapshot.id, folder), `of ${snapshot.at}`)
  const manifest = parseManifest(await deps.readManifest(folder))
  if (!manifest)
    return {
      findings: [fetched, { check: 'manifest', result: 'failed', found: 'missing or unreadable', hint: DAMAGED_HINT }],
    }
  const findings = [fetched, ...compareContents(manifest.contents, await deps.takeContents(folder))]
  const isWhole = findings.every(({ result }) => result === 'ok')
  if (!isWhole) return { findings, manifest }
  findings.push(await deps.checkRepositories(folder, Object.keys(manifest.contents.repositories)))
  findings.push(await deps.verifyLedgers(folder))
  if (manifest.odoo && deps.odoo) findings.push(...(await deps.odoo.tryOut(folder, manifest.odoo)))
  if (manifest.odoo && !deps.odoo)
    findings.push({ check: 'Odoo', result: 'skipped', found: 'no PostgreSQL here to restore its dump into' })
  return { findings, manifest }
}

async function listed(deps: BackupDeps, findings: Finding[]): Promise<readonly Snapshot[]> {
  try {
    return (await deps.store.list()).filter(({ agent }) => agent === deps.agent)
  } catch (error) {
    if (!isDamage(error)) throw error
    findings.push({ check: 'snapshots', result: 'failed', found: error.message, hint: DAMAGED_HINT })
    return []
  }
}

/** Damage of what is stored is what is being looked for; anything else is in the way of looking. */
async function damage(check: string, look: () => Promise<unknown>, good: string): Promise<Finding> {
  try {
    await look()
    return { check, result: 'ok', found: good }
  } catch (error) {
    if (!isDamage(error)) throw error
    return { check, result: 'failed', found: error.message, hint: DAMAGED_HINT }
  }
}

function isDamage(error: unknown): error is CountersignError {
  if (isStopped(error)) return false
  return error instanceof CountersignError && ['ERR_BACKUP_DAMAGED', 'ERR_BACKUP_FAILED'].includes(error.code)
}

function missingFinding(expected: NonNullable<BackupStatus['snapshots']>, list: readonly Snapshot[]): Finding {
  const check = 'snapshots'
  const there = new Set(list.map(({ id }) => id))
  const gone = expected.filter(({ id }) => !there.has(id))
  if (gone.length === 0) return { check, result: 'ok', found: `${list.length} are there` }
  const named = gone.slice(0, 5).map(({ id, at }) => `${id.slice(0, 8)} of ${at}`)
  const found = `nothing here threw them away, and they are gone: ${named.join(', ')}`
  return { check, result: 'failed', found, hint: DAMAGED_HINT }
}

async function remember(deps: BackupDeps, at: string, problem: string | undefined, snapshot?: string): Promise<void> {
  const before = await deps.status.load()
  const of = snapshot === undefined ? {} : { snapshot }
  await deps.status.save(
    problem === undefined
      ? { ...before, drill: { at, outcome: 'done', ...of }, drillDoneAt: at }
      : { ...before, drill: { ...failedRun(at, problem), ...of } },
  )
}
