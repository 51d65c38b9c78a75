import type { Command } from 'commander'
import { type Cli, example, PROGRAM } from '../cli.ts'
import { type AskOnTerminal, terminalOf } from '../countersign-key.ts'
import { type RotateOptions, type Rotation, rotateKey } from '../rotate-key.ts'

export function configure(command: Command, cli: Cli, terminal?: AskOnTerminal): void {
  command
    .command('countersign-key')
    .description('a new countersigning key; what the old one countersigned can still be verified')
    .option('--passphrase-file <file>', 'the passphrase of the key, where the zone’s settings do not name it')
    .option('--now', 'also while it is not known what became of an action: when the key may have been stolen')
    .option('--lost', 'also when nobody has the key or its passphrase any more; the new one has no passphrase')
    .addHelpText(
      'after',
      '\nRun on the local machine, outside its containers. A run that died is completed by the next.',
    )
    .addHelpText('after', example('rotate countersign-key', 'rotate countersign-key --lost'))
    .action(async (options: RotateOptions) => {
      const home = await cli.home()
      const rotation = await rotateKey(home, options, terminal ?? terminalOf(cli.json), { now: Date.now })
      cli.answer(rotation, renderRotation(rotation))
    })
}

function renderRotation({ old, new: fresh, pairingFile, steps, isFinished }: Rotation): string {
  return [
    isFinished ? 'The rotation that was interrupted is complete now.' : 'The countersigning key was replaced.',
    `  old  ${old}  (verifies what it countersigned until now, and nothing later)`,
    `  new  ${fresh}`,
    'An executor that runs stops within seconds; compose and `npm start` start it again, with the new key. Elsewhere start',
    'it yourself. Approved tasks that were not done yet are countersigned anew.',
    ...steps,
    `Tell the cloud zone, whose \`audit verify\` does not know the new key yet: carry ${pairingFile} there, then`,
    `  ${PROGRAM} init cloud --pair pairing-local.json`,
  ].join('\n')
}
