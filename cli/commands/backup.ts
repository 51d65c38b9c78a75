import type { Command } from 'commander'
import { sayMinute } from '#core/sign-of-life.ts'
import { backUp } from '#services/backup/back-up.ts'
import { drill } from '#services/backup/drill.ts'
import { backupOf, type TargetOptions } from '../backup.ts'
import { type Cli, example } from '../cli.ts'
import { renderFindings } from '../doctor.ts'
import { EXIT } from '../exit-codes.ts'
import { renderTable } from '../table.ts'

const TARGET = ['--target <place>', 'a path, sftp:user@host:/path or s3:https://host/bucket'] as const
const PASSWORD = ['--password-file <file>', 'the password of the backups (default: secrets/backup-password)'] as const

export function configure(command: Command, cli: Cli): void {
  const withTarget = (name: string) =>
    command
      .command(name)
      .option(...TARGET)
      .option(...PASSWORD)
  withTarget('now')
    .description('back this zone up')
    .option('--new', 'begin anew, in the place of backups that are not there any more')
    .addHelpText('after', example('backup now', '--zone cloud backup now --target /mnt/disk/countersign'))
    .action(async (options: TargetOptions & { new?: true }) => {
      const home = await cli.home()
      const deps = backupOf(home, options, cli.env)
      cli.say(`Backing up ${home.root} to ${deps.store.target} …`)
      const made = await backUp(deps, options.new)
      const { snapshot, files, skipped, kept } = made
      cli.answer(
        { ...made, target: deps.store.target },
        [
          `Backed up ${files} files as ${snapshot.slice(0, 8)}.`,
          ...skipped.map((path) => `Left out, as it is no plain readable file: ${path}`),
          ...(kept ? [`Nothing old was thrown away: ${kept}.`] : []),
        ].join('\n'),
      )
    })
  withTarget('list')
    .description('the backups there are')
    .addHelpText('after', example('backup list'))
    .action(async (options: TargetOptions) => {
      const { store } = backupOf(await cli.home(), options, cli.env)
      const snapshots = await store.list()
      const rows = snapshots.map(({ id, at, zone, agent }) => [id.slice(0, 8), sayMinute(at), zone, agent])
      cli.answer({ target: store.target, snapshots }, rows.length > 0 ? renderTable(rows) : 'There are no backups yet.')
    })
  withTarget('check')
    .description('restore a backup in a scratch place, and hold it against what was written down when it was made')
    .option('--snapshot <id>', 'the beginning of its id (default: the newest)')
    .addHelpText('after', '\nReads everything that is stored. Exit code 1 when something is damaged or missing.')
    .addHelpText('after', example('backup check', 'backup check --snapshot 4f2a91c0'))
    .action(async (options: TargetOptions & { snapshot?: string }) => {
      const home = await cli.home()
      const deps = backupOf(home, options, cli.env)
      cli.say(`Reading the backups in ${deps.store.target} …`)
      const outcome = await drill(deps, options)
      cli.answer(outcome, renderFindings(outcome.findings))
      cli.setExitCode(outcome.ok ? EXIT.ok : EXIT.failed)
    })
}
