import type { Command } from 'commander'
import { CREDENTIALS, type Credential } from '#core/credentials.ts'
import type { AuthOptions } from '../auth-gmail.ts'
import { type Cli, example, PROGRAM } from '../cli.ts'
import { type AskOnTerminal, terminalOf } from '../countersign-key.ts'
import { EXIT } from '../exit-codes.ts'
import { commitId } from '../last-verified.ts'
import { onTheMachine, placeOf } from '../list-credentials.ts'
import { setUpBooks } from '../odoo-setup.ts'
import { rotateAgentKeys } from '../rotate/agent-keys.ts'
import { rotateGmail } from '../rotate/gmail.ts'
import { type Rotated, rotateCredential, type RotateOptions as SecretOptions } from '../rotate/rotate-credential.ts'
import { type RotateOptions, type Rotation, rotateKey } from '../rotate-key.ts'
import { addAuthOptions, conversationOnTerminal } from './auth.ts'

export function configure(command: Command, cli: Cli, terminal?: AskOnTerminal): void {
  command.addHelpText(
    'after',
    '\nOrder: the new one is accepted, then used, then the old one is refused. A run that died is completed by the next (docs/credentials.md).',
  )
  for (const credential of CREDENTIALS)
    if (credential.name !== 'countersign-key') configureOne(command.command(credential.name), credential, cli, terminal)
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

/** Each with the options that it has a use for. */
function configureOne(command: Command, credential: Credential, cli: Cli, terminal?: AskOnTerminal): void {
  const { name, what, origin } = credential
  command.description(what).addHelpText('after', example(`rotate ${name}`))
  if (origin === 'agent-key') configureAgentKeys(command, cli)
  else if (origin === 'consent') configureConsent(command, credential, cli)
  else configureSecret(command, credential, cli, terminal)
}

function configureSecret(command: Command, credential: Credential, cli: Cli, terminal?: AskOnTerminal): void {
  const { name, origin } = credential
  if (origin === 'given')
    command.option('--file <file>', 'a file with the new one (mode 0600); without it, it is asked for')
  if (name === 'odoo-key')
    command.option('--admin-key-file <file>', 'an administrator’s API key (mode 0600): both zones get new keys')
  if (name === 'grafana-password')
    command.option('--url <url>', 'where Grafana answers (default: its port on this machine)')
  if (name === 'backup-password')
    command.option('--target <place>', 'a path, sftp:user@host:/path or s3:https://host/bucket')
  if (origin !== 'other') command.option('--stopped', 'nothing of the zone runs now: only the file is replaced')
  command.action(async (options: SecretOptions & { adminKeyFile?: string }) => {
    const home = await cli.home()
    const ask = terminal ?? terminalOf(cli.json)
    if (options.adminKeyFile !== undefined) {
      const { keys, todo } = await setUpBooks(home, { adminKeyFile: options.adminKeyFile, newKeys: true }, ask)
      const text = [`Made new keys: ${Object.values(keys).join(', ')}. The old ones open nothing any more.`, ...todo]
      cli.answer({ name, isDone: true, keys, steps: todo }, text.join('\n'))
      return
    }
    const done = await rotateCredential(home, credential, options, ask, process.env)
    cli.answer(done, renderDone(done))
    cli.setExitCode(done.isDone ? EXIT.ok : EXIT.incomplete)
  })
}

function configureAgentKeys(command: Command, cli: Cli): void {
  command
    .option('--after <commit>', 'the last commit that counts; default: the newest that this zone has verified')
    .addHelpText(
      'after',
      '\nAn agent’s signing key, deploy key and ledger key are replaced together. Stop the zone first.',
    )
    .action(async ({ after }: { after?: string }) => {
      const home = await cli.home()
      onTheMachine(home, 'rotate')
      const done = await rotateAgentKeys(home, after === undefined ? undefined : commitId(after), Date.now())
      const other = home.zone === 'cloud' ? 'local' : 'cloud'
      const up = (zone: string) => `  docker compose -f compose.${zone}.yml`
      const steps = [
        `${up(home.zone)} up -d`,
        `In the ${other} zone, to which you carry ${done.pairingFile}:`,
        `  ${PROGRAM} --zone ${other} trust revoke ${home.agent} --after ${done.after}`,
        `  ${PROGRAM} init ${other} --pair pairing-${home.zone}.json`,
        `${up(other)} restart ${other === 'cloud' ? 'hub sync' : 'sync'}`,
      ]
      const text = [
        done.isFinished
          ? 'The rotation that was interrupted is complete now.'
          : `The keys of ${home.agent} were replaced.`,
        `  old  ${done.old}  (counts up to ${done.after})`,
        `  new  ${done.new}`,
        ...steps,
        `Until the ${other} zone knows, nothing passes between the two; nothing is lost.`,
      ]
      cli.answer({ ...done, steps }, text.join('\n'))
    })
}

function configureConsent(command: Command, credential: Credential, cli: Cli): void {
  addAuthOptions(command)
    .addHelpText(
      'after',
      '\nGoogle ends the old token first, and with it what you allowed this OAuth client; then you are asked anew.',
    )
    .action(async (options: AuthOptions) => {
      const home = await cli.home()
      onTheMachine(home, `rotate ${credential.name}`)
      const closing = new AbortController()
      try {
        const place = placeOf(home, credential)
        const done = await rotateGmail(home, place, options, conversationOnTerminal(closing.signal))
        const old = {
          revoked: 'The old token was ended by Google.',
          gone: 'Google had ended the old token before.',
          none: '',
        }[done.old]
        const other = home.zone === 'cloud' ? 'local' : 'cloud'
        const steps = [
          ...done.steps,
          `Does the ${other} zone use the same OAuth client? Then its token ended, too: rotate it there.`,
        ]
        cli.answer(
          { ...done, steps },
          [old, `The new token stands in ${done.file}.`, ...steps].filter(Boolean).join('\n'),
        )
      } finally {
        closing.abort()
      }
    })
}

function renderDone({ name, isDone, isFinished, restarted, steps }: Rotated): string {
  const head = isFinished ? `The rotation of ${name} that was interrupted is complete now.` : `${name} was replaced.`
  return [
    isDone ? head : `This program cannot replace ${name}. These steps do:`,
    ...(restarted.length > 0 ? [`Started anew: ${restarted.join(', ')}.`] : []),
    ...steps.map((step) => (isDone ? step : `  ${step}`)),
  ].join('\n')
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
