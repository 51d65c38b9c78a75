import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { sayMinute } from '#core/sign-of-life.ts'
import { restore } from '#services/backup/restore.ts'
import { hasOdooToRestore, restoreInto, restoreOdoo, type TargetOptions } from '../backup.ts'
import { type Cli, example } from '../cli.ts'
import { renderFindings } from '../doctor.ts'

const ODOO_NEXT =
  'first start its database, `docker compose -f compose.cloud.yml --profile odoo up -d odoo-db`, then put it back, `docker compose -f compose.cloud.yml --profile backup run --rm --entrypoint countersign backup restore --odoo`.'

export function configure(command: Command, cli: Cli): void {
  command
    .option('--target <place>', 'where the backups are: a path, sftp:user@host:/path or s3:https://host/bucket')
    .option('--password-file <file>', 'their password (default: secrets/backup-password of the home)')
    .option('--snapshot <id>', 'the beginning of its id (default: the newest)')
    .option('--odoo', 'put back the database of Odoo that an earlier restore fetched, and nothing else')
    .addHelpText(
      'after',
      '\nThe home (--home, else ./zones/<--zone>) may be missing or empty; the services of one that is there have to be' +
        '\nstopped. All of the backup is fetched and looked at before anything is touched, and what was there is kept' +
        '\nbeside it, in before-restore-…. Nothing that was approved before is executed again. Interrupted, run it again.',
    )
    .addHelpText(
      'after',
      example(
        '--zone cloud restore --target /mnt/disk/countersign --password-file password.txt',
        '--home zones/local restore --snapshot 4f2a91c0',
      ),
    )
    .action(async (options: TargetOptions & { snapshot?: string; odoo?: true }, self: Command) => {
      if (options.odoo) {
        const findings = await restoreOdoo(await cli.home(), cli.env)
        cli.answer({ ok: true, findings }, renderFindings(findings))
        return
      }
      const { home, zone } = self.optsWithGlobals<{ home?: string; zone?: string }>()
      const root = home ? resolve(home) : zone ? join(process.cwd(), 'zones', zone) : (await cli.home()).root
      const deps = await restoreInto(root, options, cli.env)
      cli.say(`Fetching the backup from ${deps.backup.store.target} …`)
      const outcome = await restore(deps, { ...options, ...(zone && { zone }) })
      const { plan, isResumed, findings } = outcome
      cli.answer(
        { ...outcome, home: root },
        [
          ...(findings.length > 0 ? [renderFindings(findings)] : []),
          isResumed
            ? 'An earlier restore was interrupted; it is finished now.'
            : 'Everything was fetched, and is as it was backed up.',
          `${root} is the ${plan.zone} zone (agent ${plan.agent}) as it was at ${sayMinute(plan.made)}, from backup ${plan.snapshot.slice(0, 8)}.`,
          ...(plan.old.length > 0
            ? [`What was there stands in ${join(root, plan.aside)}; remove it when you miss nothing.`]
            : []),
          'What you had approved before is not executed by itself: it is shown to you again.',
          ...(plan.old.length === 0
            ? ['A key that was revoked since then is believed again: `countersign trust revoke` once more.']
            : []),
          ...(hasOdooToRestore(root) ? [`Odoo: ${ODOO_NEXT}`] : []),
          `Next: docker compose -f compose.${plan.zone}.yml up -d, then countersign doctor.`,
        ].join('\n'),
      )
    })
}
