import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { signOfUse } from '#adapters/zone-copy/running.ts'
import { parseBackupStatus } from '#core/backup-status.ts'
import { changesSince } from '#core/changes-since.ts'
import { isFresh, parseStatus } from '#core/status.ts'
import { HOME_VERSION, readHomeRecord, refuseNewerHome } from '#runtime/home-version.ts'
import { VERSION } from '#runtime/version.ts'
import { backUp } from '#services/backup/back-up.ts'
import { backupOf } from '../backup.ts'
import { type Cli, example } from '../cli.ts'
import { examine, renderFindings } from '../doctor.ts'
import { changeOwner } from '../init/change-owner.ts'
import { makePlan } from '../init/init-options.ts'
import { initZone } from '../init/init-zone.ts'
import { machineOf } from '../upgrade/machine.ts'
import { upgradeFiles } from '../upgrade/migrate-home.ts'
import { runUpgrade, type Unwell, type UpgradeDeps } from '../upgrade/run-upgrade.ts'
import { storesOf } from '../upgrade/stores.ts'
import type { ZoneHome } from '../zone-home.ts'

type Options = { check?: true; backup: boolean; again?: true }

const MAX_CHANGES = 40

export function configure(command: Command, cli: Cli): void {
  command
    .option('--check', 'only say what would be done')
    .option('--without-backup', 'make no backup first')
    .option('--again', 'also when the home belongs to this version already')
    .addHelpText(
      'after',
      '\nMakes a backup, stops the zone, migrates its state, completes its home, starts it again and looks whether it is well. The new' +
        '\nprogram has to be here already (git pull; on the VM countersign-fetch). Interrupted, run it again: it goes on where it was.',
    )
    .addHelpText('after', example('upgrade --check', 'upgrade', '--zone cloud upgrade --json'))
    .action(async ({ check, again, ...options }: Options & { withoutBackup?: true }) => {
      const home = await cli.anyHome()
      refuseNewerHome(home.state)
      const plan = await planOf(home)
      if (check || (plan.nothingToDo && !again)) {
        cli.answer(plan, renderPlan(home, plan))
        return
      }
      cli.say(renderPlan(home, plan))
      const stop = new AbortController()
      const onSignal = () => stop.abort()
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
      const deps: UpgradeDeps = {
        zone: home.zone,
        from: plan.from,
        to: VERSION,
        machine: machineOf(home.zone, cli.env),
        files: await filesOf(home),
        clock: { now: Date.now },
        backUp: async () => (await backUp(backupOf(home, {}, cli.env))).snapshot,
        hasTarget: home.settings.COUNTERSIGN_BACKUP_TARGET !== undefined,
        signOfUse: () => signOfUse(home.root, Date.now()),
        complete: () => complete(home),
        unwell: () => unwell(home),
        doctor: () => examine(home),
        say: cli.say,
        delay: (ms) => delay(ms, undefined, { signal: stop.signal }).catch(() => undefined),
        signal: stop.signal,
      }
      const outcome = await upgradeAs(home, () => runUpgrade(deps, options.withoutBackup !== true))
      cli.answer(
        { ...plan, ...outcome },
        [
          ...outcome.made.map((step) => `- ${step}`),
          renderFindings(outcome.findings),
          `The ${home.zone} zone belongs to Countersign ${VERSION} now${outcome.started ? ', and runs' : ': start it as you always do'}.`,
        ].join('\n'),
      )
    })
}

async function filesOf(home: ZoneHome) {
  return upgradeFiles(home, await storesOf(home.zone), VERSION, Date.now)
}

async function planOf(home: ZoneHome) {
  const files = await filesOf(home)
  const record = readHomeRecord(home.state)
  const progress = files.progress()
  const from = progress ? progress.from : record?.program
  const due = files.due()
  const backups = parseBackupStatus(await readFile(join(home.root, 'backup', 'status.json'), 'utf8').catch(() => ''))
  const changelog = await readFile(changelogFile(), 'utf8').catch(() => '')
  return {
    zone: home.zone,
    ...(from !== undefined && { from }),
    to: VERSION,
    home: { found: record?.home ?? null, current: HOME_VERSION },
    unfinished: progress?.stage ?? null,
    due,
    lastBackup: backups.backupDoneAt ?? null,
    changes: from === VERSION ? [] : changesSince(changelog, from),
    nothingToDo: progress === undefined && from === VERSION && due.length === 0,
  }
}

/** Of this checkout; in a container the one that is mounted where it was called. */
function changelogFile(): string {
  const isSource = import.meta.filename.endsWith('.ts')
  return isSource ? join(import.meta.dirname, '../../CHANGELOG.md') : join(process.cwd(), 'CHANGELOG.md')
}

function renderPlan(home: ZoneHome, plan: Awaited<ReturnType<typeof planOf>>): string {
  const { from, to, due, changes, lastBackup, unfinished, nothingToDo } = plan
  if (nothingToDo)
    return `The ${home.zone} zone belongs to Countersign ${to} already: nothing to do. Images that were built anew are started by docker compose up -d.`
  return [
    `The ${home.zone} zone in ${home.root} belongs to ${from ? `Countersign ${from}` : 'a Countersign that kept no version (0.1.0 or before)'}; this is ${to}.`,
    ...(unfinished ? [`An upgrade was begun and is not finished (${unfinished}): it goes on.`] : []),
    due.length === 0 ? 'Nothing of its state has to be migrated.' : 'To be migrated:',
    ...due.map(({ store, steps }) => `  ${store}: ${steps.join('; ')}`),
    lastBackup
      ? `Its last backup is of ${lastBackup}; another is made first.`
      : 'No backup of it is known here; one is made first.',
    ...(changes.length > 0 ? [`What changed (CHANGELOG.md):`, ...changes.slice(0, MAX_CHANGES)] : []),
    ...(changes.length > MAX_CHANGES ? [`… and ${changes.length - MAX_CHANGES} lines more`] : []),
  ].join('\n')
}

/** As `countersign init`, run once more. */
async function complete({ root, zone }: ZoneHome): Promise<readonly string[]> {
  const { plan } = await makePlan({ root, zone, isNew: false }, {}, undefined)
  return (await initZone(plan)).steps
}

/** What root made in a home would be closed to its containers. */
async function upgradeAs<T>({ root }: ZoneHome, act: () => Promise<T>): Promise<T> {
  const { uid, gid } = await stat(root)
  try {
    return await act()
  } finally {
    if (process.getuid?.() === 0 && uid !== 0) await changeOwner(root, { uid, gid })
  }
}

async function unwell(home: ZoneHome): Promise<readonly Unwell[] | undefined> {
  const status = parseStatus(await readFile(join(home.state, 'status.json'), 'utf8').catch(() => ''))
  if (!status || !isFresh(status, Date.now())) return undefined
  return status.services
    .filter(({ live, ready }) => !(live && ready))
    .map(({ name, detail }) => ({ name, why: detail ?? 'no answer' }))
}
