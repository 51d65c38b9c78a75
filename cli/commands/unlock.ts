import type { Command } from 'commander'
import { writeCountersignFile } from '#adapters/keys/countersign-key.ts'
import { type Cli, example } from '../cli.ts'
import { type AskOnTerminal, openKey, ownKeyFile, renewGuard, terminalOf } from '../countersign-key.ts'

export function configure(command: Command, cli: Cli, terminal?: AskOnTerminal): void {
  command
    .option('--passphrase-file <file>', 'the present passphrase, where the zone’s settings do not name it')
    .addHelpText('after', example('unlock', 'unlock --passphrase-file /run/user/1000/passphrase'))
    .action(async ({ passphraseFile }: { passphraseFile?: string }) => {
      const home = await cli.home()
      const file = await ownKeyFile(home, 'unlock')
      const steps = [`${file.path} ${file.isLocked ? 'has no passphrase any more.' : 'has no passphrase.'}`]
      if (file.isLocked) {
        const { key } = await openKey(home, file, passphraseFile, terminal ?? terminalOf(cli.json))
        await writeCountersignFile(file, key)
        steps.push('A file that holds the passphrase is needed no more: remove it.')
      }
      steps.push(...(await renewGuard(home)))
      cli.answer({ locked: false, changed: file.isLocked, steps }, steps.join('\n'))
    })
}
