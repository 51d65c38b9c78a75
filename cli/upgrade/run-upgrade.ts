import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { Machine } from './machine.ts'
import type { Progress, UpgradeFiles } from './migrate-home.ts'

/** What upgrading a zone works with. */
export interface UpgradeDeps {
  readonly zone: string
  /** The version that the home belongs to, where it says so, and this program's. */
  readonly from: string | undefined
  readonly to: string
  readonly machine: Machine | undefined
  readonly files: UpgradeFiles
  readonly clock: { now(): number }
  /** For a zone without containers, or that names where its backups go. Gives the snapshot's id. */
  backUp(): Promise<string>
  readonly hasTarget: boolean
  /** Undefined: nothing uses the home. */
  signOfUse(): Promise<string | undefined>
  /** Makes what a home of this version has and this one has not; a sentence for each. */
  complete(): Promise<readonly string[]>
  /** The services that are not well by the zone's own status; undefined: there is no fresh one. */
  unwell(): Promise<readonly Unwell[] | undefined>
  doctor(): Promise<readonly Finding[]>
  say(line: string): void
  delay(ms: number): Promise<void>
  readonly signal: AbortSignal
}

export type Unwell = { readonly name: string; readonly why: string }

export type UpgradeOutcome = {
  readonly backup: string | undefined
  readonly migrated: readonly string[]
  readonly made: readonly string[]
  /** Whether the zone's containers run again; false: none did before. */
  readonly started: boolean
  readonly findings: readonly Finding[]
}

/** Health keeps its status for so long when it was killed. */
const STOPPED_WITHIN_MS = 75_000
const WELL_WITHIN_MS = 180_000
const POLL_MS = 1_000

/**
 * Upgrades one zone: images and a backup while it runs; then it is stopped, its state migrated, its home completed; then it
 * is started and looked at. Interrupted or killed anywhere, it is called again and goes on. Throws ERR_UPGRADE_FAILED or
 * what a step throws, in words that say how the zone stands.
 */
export async function runUpgrade(deps: UpgradeDeps, withBackup: boolean): Promise<UpgradeOutcome> {
  const { files, machine } = deps
  let progress = files.progress()
  if (progress?.stage === 'putting-back') {
    files.putBack(progress)
    progress = undefined
  }
  const before = { findings: await deps.doctor(), unwell: (await deps.unwell()) ?? [] }
  progress ??= await prepare(deps, withBackup)
  const { migrated, made } = progress.stage === 'migrated' ? { migrated: [], made: [] } : await change(deps, progress)
  files.release()
  const again = progress.services
  const started = machine !== undefined && again.length > 0
  if (started) await start(deps, machine, progress, before.unwell)
  const findings = await deps.doctor()
  const worse = findings.filter(
    ({ check, result }) =>
      result === 'failed' &&
      before.findings.some((one) => one.check === check && one.result !== 'failed' && one.result !== 'skipped'),
  )
  if (worse.length > 0)
    throw failed(
      `it runs, but ${worse.map(({ check, found }) => `${check}: ${found}`).join('; ')}`,
      wayBack(deps, progress),
    )
  files.finish()
  return { backup: progress.backup, migrated, made, started, findings }
}

/** Nothing is changed yet when this ends or fails. */
async function prepare(deps: UpgradeDeps, withBackup: boolean): Promise<Progress> {
  const { machine, files, from, to, clock, say } = deps
  const unchanged = 'Nothing was changed: the zone is as it was.'
  return saying(unchanged, async () => {
    const services = (await machine?.ask('services'))?.split(/\s+/).filter(Boolean) ?? []
    interruptible(deps)
    if (machine && services.length > 0) {
      say('Building what is new of the images …')
      await machine.ask('prepare')
      interruptible(deps)
    }
    const backup = withBackup ? await backUp(deps, services) : undefined
    interruptible(deps)
    const at = new Date(clock.now()).toISOString()
    const progress: Progress = { ...(from && { from }), to, at, stage: 'stopping', services, ...(backup && { backup }) }
    files.save(progress)
    return progress
  })
}

async function backUp({ machine, say, backUp, hasTarget }: UpgradeDeps, services: readonly string[]): Promise<string> {
  say('Making a backup …')
  try {
    if (!machine || (services.length === 0 && hasTarget)) return await backUp()
    const answer = JSON.parse((await machine.ask('backup')).split('\n').at(-1) ?? '') as { snapshot?: unknown }
    if (typeof answer.snapshot !== 'string') throw new Error('it names no snapshot')
    return answer.snapshot
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const text = `no backup could be made: ${why}. Mend that (docs/backup.md), or say --without-backup`
    throw new CountersignError('ERR_UPGRADE_FAILED', text, { cause })
  }
}

/** The zone stands still meanwhile, and when this ends. */
async function change(deps: UpgradeDeps, progress: Progress) {
  const { files, machine, say } = deps
  const stopped = `The zone is stopped, and nothing of it was changed. Go on with \`countersign upgrade\`, or start it as it was: ${await startCommand(deps)}`
  await saying(stopped, async () => {
    if (machine && progress.services.length > 0) {
      say('Stopping the zone …')
      await machine.ask('stop')
    }
    await untilUnused(deps)
    interruptible(deps)
  })
  say('Migrating its state …')
  const back = `All files stand as before. ${wayBack(deps, undefined)}`
  const migrated = await saying(back, () => files.migrate(progress))
  const half = 'Its state is migrated, and it is stopped: go on with `countersign upgrade`.'
  return saying(half, async () => {
    const made = await deps.complete()
    interruptible(deps)
    return { migrated: migrated.map(({ store, steps }) => `${store}: ${steps.join('; ')}`), made }
  })
}

async function untilUnused(deps: UpgradeDeps): Promise<void> {
  const end = deps.clock.now() + STOPPED_WITHIN_MS
  for (let sign = await deps.signOfUse(); sign !== undefined; sign = await deps.signOfUse()) {
    if (deps.clock.now() > end) throw new CountersignError('ERR_UPGRADE_FAILED', `the zone does not stop: ${sign}`)
    interruptible(deps)
    await deps.delay(POLL_MS)
  }
}

async function start(
  deps: UpgradeDeps,
  machine: Machine,
  progress: Progress,
  before: readonly Unwell[],
): Promise<void> {
  await saying(wayBack(deps, progress), async () => {
    deps.say('Starting it …')
    await machine.ask('start', progress.services)
    if (!progress.services.includes('health')) return
    const end = deps.clock.now() + WELL_WITHIN_MS
    for (;;) {
      const unwell = await deps.unwell()
      // A hub that was away before is no fault of the new program.
      const worse = unwell?.filter(({ name }) => !before.some((one) => one.name === name))
      if (worse?.length === 0) return
      interruptible(deps)
      const found = worse?.map(({ name, why }) => `${name}: ${why}`).join('; ') ?? 'its health says nothing'
      if (deps.clock.now() > end)
        throw new CountersignError('ERR_UPGRADE_FAILED', `it was started, and is not well: ${found}`)
      await deps.delay(POLL_MS)
    }
  })
}

/** How to have again what was before; undefined `progress`: no new program ran on the state. */
function wayBack({ from, zone }: UpgradeDeps, progress: Progress | undefined): string {
  const program = from ? `Countersign ${from}` : 'the program of before'
  const checkout = from ? `\`git checkout v${from}\`` : 'check out what you had before'
  if (progress === undefined) return `To go back: ${checkout}, and start the zone: ${program} works with it as it is.`
  const snapshot = progress.backup?.slice(0, 8)
  const restore = snapshot
    ? `\`countersign --zone ${zone} restore --snapshot ${snapshot}\``
    : '`countersign restore` of a backup that it made (this upgrade made none)'
  return `Mend what it says and run \`countersign upgrade\` again. To go back to ${program}: stop the zone, ${restore}, ${checkout}, start it (docs/upgrade.md#going-back).`
}

async function startCommand({ machine }: UpgradeDeps): Promise<string> {
  const compose = await machine?.ask('command').catch(() => undefined)
  return compose ? `${compose} start` : 'as you always start it'
}

function interruptible({ signal }: UpgradeDeps): void {
  if (signal.aborted) throw new CountersignError('ERR_UPGRADE_FAILED', 'interrupted')
}

/** Whatever fails in it is told with how things stand then. */
async function saying<T>(standing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw failed(error, standing)
  }
}

function failed(what: unknown, standing: string): CountersignError {
  const code = what instanceof CountersignError ? what.code : 'ERR_UPGRADE_FAILED'
  const text = what instanceof Error ? what.message : String(what)
  return new CountersignError(code, `${text}. ${standing}`, { cause: what })
}
