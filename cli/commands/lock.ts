import { join } from 'node:path'
import type { Command } from 'commander'
import { writeCountersignFile } from '#adapters/keys/countersign-key.ts'
import { type Cli, example } from '../cli.ts'
import {
  type AskOnTerminal,
  configuredPassphrase,
  newPassphrase,
  openKey,
  opens,
  ownKeyFile,
  renewGuard,
  terminalOf,
} from '../countersign-key.ts'
import type { ZoneHome } from '../zone-home.ts'

type LockOptions = { passphraseFile?: string; oldPassphraseFile?: string }

export function configure(command: Command, cli: Cli, terminal?: AskOnTerminal): void {
  command
    .option('--passphrase-file <file>', 'the new passphrase; without it, it is asked for twice')
    .option('--old-passphrase-file <file>', 'the present one, where the zone’s settings do not name it')
    .addHelpText(
      'after',
      '\nThe executor needs the passphrase each time it starts. What it protects against: docs/decisions/0013.',
    )
    .addHelpText('after', example('lock', 'lock --passphrase-file /run/user/1000/passphrase'))
    .action(async (options: LockOptions) => {
      const home = await cli.home()
      const { steps, isChanged } = await lock(home, options, terminal ?? terminalOf(cli.json))
      cli.answer({ locked: true, changed: isChanged, steps }, steps.join('\n'))
    })
}

async function lock(home: ZoneHome, options: LockOptions, terminal: AskOnTerminal) {
  const file = await ownKeyFile(home, 'lock')
  const passphrase = await newPassphrase(options.passphraseFile, terminal)
  const isChanged = !(file.isLocked && opens(file, passphrase))
  if (isChanged) {
    const { key } = await openKey(home, file, options.oldPassphraseFile, terminal)
    await writeCountersignFile(file, key, passphrase)
  }
  const steps = [
    `${file.path} ${isChanged ? (file.isLocked ? 'has another passphrase now.' : 'has a passphrase now.') : 'has this passphrase already.'}`,
    ...(await renewGuard(home)),
    ...nextStart(home, passphrase),
  ]
  return { steps, isChanged }
}

/** What the executor will do at its next start. */
function nextStart(home: ZoneHome, passphrase: string): string[] {
  const configured = configuredPassphrase(home)
  if (configured === passphrase) return ['The executor finds it where the settings say.']
  return [
    configured === undefined
      ? 'The executor does not start without it. Give it as a file of mode 0600: best one in memory (/run/user/1000/…) that'
      : 'The executor would not start: the file that it is given holds another passphrase. Write this one into the file that',
    `COUNTERSIGN_KEY_PASSPHRASE_FILE names; otherwise ${join(home.secrets, 'countersign-passphrase')}, which goes wherever`,
    'copies of this home go. One that runs goes on until it is restarted.',
  ]
}
