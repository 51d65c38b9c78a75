import type { BackupManifest } from '#core/backup-manifest.ts'
import { type BackupStatus, failedRun, isStopped } from '#core/backup-status.ts'
import { CountersignError, messageOf } from '#core/errors.ts'
import type { Snapshot } from '#core/ports/backup-store.ts'
import type { BackupDeps } from './deps.ts'

export type BackupOutcome = {
  readonly snapshot: string
  readonly files: number
  /** Files of the vault that were left out, because they are no plain readable files. */
  readonly skipped: readonly string[]
  /** Why nothing old was thrown away; absent: it was. */
  readonly kept?: string
}

/** Retention counts from the newest snapshot: one from the future would have all others thrown away. */
const MAX_AHEAD_MS = 24 * 3_600_000

/**
 * Makes a backup: copies the zone, writes down what the copy holds, saves it, and throws away what retention no longer
 * wants. Its outcome is remembered, whatever it is. Throws what `BackupStore` throws. `isNew` allows another repository in
 * the place of the one that is known.
 */
export async function backUp(deps: BackupDeps, isNew = false): Promise<BackupOutcome> {
  await using _ = await deps.oneAtATime()
  const at = new Date(deps.clock.now()).toISOString()
  try {
    const repository = await theRepository(deps, isNew)
    const { id, files, skipped } = await makeSnapshot(deps, at)
    const all = (await deps.store.list()).filter(({ agent }) => agent === deps.agent)
    const saved = all.find((one) => one.id.startsWith(id))
    if (!saved)
      throw new CountersignError('ERR_BACKUP_FAILED', `saving to ${deps.store.target}: the new backup is not there`)
    const made = { snapshot: saved.id, files, skipped }
    const { snapshots, kept } = await applyRetention(deps, all)
    await remember(deps, {
      repository: { target: deps.store.target, id: repository },
      backup: { at, outcome: 'done', snapshot: made.snapshot },
      backupDoneAt: at,
      snapshots: snapshots.map(({ id, at }) => ({ id, at })),
    })
    return { ...made, ...(kept && { kept }) }
  } catch (error) {
    // On a full disk this fails, too, and the first reason is the one to tell.
    if (!isStopped(error)) await remember(deps, { backup: failedRun(at, messageOf(error)) }).catch(() => {})
    throw error
  }
}

/** The id of the repository, made when there was none before. Another one, or none where there was one, is refused. */
export async function theRepository(deps: BackupDeps, isNew: boolean): Promise<string> {
  const { store } = deps
  const known = (await deps.status.load()).repository
  const expected = known?.target === store.target && !isNew ? known.id : undefined
  const found = await store.id()
  if (expected !== undefined && found !== expected)
    throw new CountersignError(
      'ERR_BACKUP_UNREACHABLE',
      `looking for the backups in ${store.target}: ${found ? 'another repository stands there' : 'they are not there any more'}. If the disk is not mounted, mount it; if they are to begin anew there, say \`countersign backup now --new\``,
    )
  if (found !== undefined) return found
  await store.create()
  const created = await store.id()
  if (created === undefined)
    throw new CountersignError('ERR_BACKUP_FAILED', `making a place for backups in ${store.target}: it is not there`)
  return created
}

async function makeSnapshot(deps: BackupDeps, at: string) {
  const { zone, agent, program } = deps
  await using stage = await deps.scratch('stage')
  const skipped = await deps.copy(stage.path)
  const missing = skipped.filter((path) => !path.startsWith('vault/'))
  if (missing.length > 0)
    throw new CountersignError(
      'ERR_BACKUP_FAILED',
      `copying the zone: could not read ${missing.slice(0, 5).join(', ')}`,
    )
  const odoo = await deps.odoo?.dump?.(stage.path)
  const contents = await deps.takeContents(stage.path)
  const manifest: BackupManifest = { format: 1, zone, agent, program, made: at, contents, ...(odoo && { odoo }) }
  await deps.writeManifest(stage.path, JSON.stringify(manifest))
  const id = await deps.store.save(stage.path, { agent, zone })
  return { id, files: Object.keys(contents.files).length, skipped }
}

async function applyRetention(
  deps: BackupDeps,
  snapshots: readonly Snapshot[],
): Promise<{ snapshots: readonly Snapshot[]; kept?: string }> {
  if (deps.isAppendOnly) return { snapshots, kept: 'the target is append-only' }
  const isAhead = snapshots.some(({ at }) => Date.parse(at) > deps.clock.now() + MAX_AHEAD_MS)
  if (isAhead) return { snapshots, kept: 'there is a backup from the future: look at this machine’s clock' }
  try {
    return { snapshots: await deps.store.forget(deps.agent) }
  } catch (error) {
    // The backup itself is made; what is old can wait for a day.
    if (error instanceof CountersignError && error.code === 'ERR_BACKUP_LOCKED')
      return { snapshots, kept: 'something else works on the backups' }
    throw error
  }
}

async function remember(deps: BackupDeps, change: Partial<BackupStatus>): Promise<void> {
  await deps.status.save({ ...(await deps.status.load()), ...change })
}
