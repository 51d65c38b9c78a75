import { join } from 'node:path'
import type { Command } from 'commander'
import { whatRemains } from '#core/what-remains.ts'
import { type Cli, example } from '../cli.ts'
import { listCredentials } from '../list-credentials.ts'
import { machineOf } from '../upgrade/machine.ts'

const CHECKOUT = join(import.meta.dirname, '../..')

export function configure(command: Command, cli: Cli): void {
  command
    .option('--yes', 'take the zone down; without it, only say what would be done and what would remain')
    .addHelpText(
      'after',
      '\nStops the zone’s containers and removes them, and its unit of systemd. Deletes no file, no volume and no backup: it says where' +
        '\neach is, and what others still hold of this zone.',
    )
    .addHelpText('after', example('uninstall', '--zone cloud uninstall --yes'))
    .action(async ({ yes }: { yes?: true }) => {
      const home = await cli.anyHome()
      const machine = machineOf(home.zone, cli.env)
      const services = (await machine?.ask('services'))?.split(/\s+/).filter(Boolean) ?? []
      const { credentials } = await listCredentials(home, false, Date.now())
      const { zone, agent, root } = home
      const remaining = whatRemains({
        ...{ zone, agent, root, credentials },
        checkout: cli.env.COUNTERSIGN_MACHINE === 'ask' ? process.cwd() : CHECKOUT,
        backupTarget: home.settings.COUNTERSIGN_BACKUP_TARGET,
      })
      if (yes) await machine?.ask('down')
      const running = services.length > 0 ? services.join(', ') : 'nothing'
      cli.answer(
        { zone, down: yes === true, services, remaining },
        [
          yes
            ? `The ${zone} zone is down; before, there ran: ${running}.`
            : `Of the ${zone} zone there runs: ${running}.`,
          yes ? 'This remains:' : `With --yes it is taken down. This would remain:`,
          ...remaining.map(({ what, where, how }) => `- ${what}\n  ${where}\n  → ${how}`),
        ].join('\n'),
      )
    })
}
