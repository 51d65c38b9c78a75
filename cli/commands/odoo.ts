import type { Command } from 'commander'
import { type Cli, example } from '../cli.ts'
import { type AskOnTerminal, terminalOf } from '../countersign-key.ts'
import { renderFindings } from '../doctor.ts'
import { EXIT } from '../exit-codes.ts'
import { checkOdoo, type OdooSetupOptions, renderSetup, setUpBooks } from '../odoo-setup.ts'

export function configure(command: Command, cli: Cli, terminal?: AskOnTerminal): void {
  command
    .command('setup')
    .description('make of an Odoo 19 what both zones need: users, rights, the guard, keys; or prove that it holds')
    .option('--check', 'only prove, with the cloud’s key, what it can do there and what it cannot')
    .option('--dry-run', 'only say what would be done')
    .option('--admin-key-file <file>', 'an administrator’s API key (mode 0600); without it, it is asked for')
    .option('--cloud-key <file>', 'where the cloud’s key is written, or with --check read (default: odoo-key-cloud)')
    .option('--new-keys', 'make new keys although there are some; the old ones open nothing any more')
    .option('--keep-audit-settings', 'leave audit trail and sealing of posted invoices as they are')
    .addHelpText(
      'after',
      '\nRun on the local machine, and only --check also in the cloud zone. Exit code 1 when a proof fails.',
    )
    .addHelpText('after', example('odoo setup --dry-run', 'odoo setup', 'odoo setup --check'))
    .action(async (options: OdooSetupOptions & { check?: boolean }) => {
      const home = await cli.home()
      if (options.check) {
        const findings = await checkOdoo(home, options.cloudKey)
        const ok = findings.every(({ result }) => result !== 'failed')
        cli.answer({ ok, findings }, renderFindings(findings))
        return cli.setExitCode(ok ? EXIT.ok : EXIT.failed)
      }
      const done = await setUpBooks(home, options, terminal ?? terminalOf(cli.json))
      const ok = done.findings.every(({ result }) => result !== 'failed')
      cli.answer({ ok, ...done }, [renderSetup(done), renderFindings(done.findings)].filter(Boolean).join('\n\n'))
      cli.setExitCode(ok ? EXIT.ok : EXIT.failed)
    })
}
