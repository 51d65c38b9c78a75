import { type Command, Option } from 'commander'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .option('--keep', 'leave it running after the story, until Ctrl-C')
    .addOption(new Option('--redis <source>', 'where Redis comes from').choices(['path', 'docker', 'packages']))
    .addOption(
      new Option('--mailbox <kind>', 'which mail server').choices(['auto', 'container', 'dev']).default('auto'),
    )
    .addHelpText(
      'after',
      '\nBoth zones, a hub and a mailbox run on this machine in a temporary folder; nothing is installed and nothing leaves\nthe machine. Exit code 0 only when every step was verified. With --json: one object a step, the last a summary.',
    )
    .addHelpText('after', example('demo', 'demo --keep', 'demo --json --redis docker'))
    .action(
      async (options: {
        keep?: boolean
        redis?: 'path' | 'docker' | 'packages'
        mailbox: 'auto' | 'container' | 'dev'
      }) => {
        // Lazily: none of this is in the images.
        const { runDemo } = await import('../../demo/run-demo.ts')
        const { jsonNarrator, plainNarrator } = await import('../../demo/narrator.ts')
        const { stopSignals } = await import('../../demo/stop-signals.ts')
        using stop = stopSignals()
        const ok = await runDemo({
          keep: options.keep === true,
          ...(options.redis ? { redis: options.redis } : {}),
          mailbox: options.mailbox,
          env: cli.env,
          narrator: cli.json ? jsonNarrator() : plainNarrator(),
          signal: stop.signal,
        })
        // A Ctrl-C after the whole story (--keep) is no failure.
        cli.setExitCode(ok ? EXIT.ok : stop.exitCode() || EXIT.failed)
      },
    )
}
