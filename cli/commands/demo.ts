import { type Command, Option } from 'commander'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { addWorldOptions, type WorldOptions } from '../world-options.ts'

export function configure(command: Command, cli: Cli): void {
  addWorldOptions(
    command
      .option('--keep', 'leave it running after the story, until Ctrl-C')
      .addOption(
        new Option('--model <kind>', 'scripted: drafts by a model that runs here and answers from a script').choices([
          'scripted',
        ]),
      ),
  )
    .addHelpText(
      'after',
      '\nBoth zones, a hub and a mailbox run on this machine in a temporary folder; nothing is installed and nothing leaves\nthe machine. Exit code 0 only when every step was verified. With --json: one object a step, the last a summary.',
    )
    .addHelpText('after', example('demo', 'demo --keep', 'demo --model scripted', 'demo --json --redis docker'))
    .action(async (options: WorldOptions & { keep?: boolean; model?: 'scripted' }) => {
      // Lazily: none of this is in the images.
      const { runDemo } = await import('../../demo/run-demo.ts')
      const { jsonNarrator, plainNarrator } = await import('../../demo/narrator.ts')
      const { stopSignals } = await import('../../demo/stop-signals.ts')
      using stop = stopSignals()
      const ok = await runDemo({
        keep: options.keep === true,
        ...(options.redis ? { redis: options.redis } : {}),
        mailbox: options.mailbox,
        model: options.model,
        env: cli.env,
        narrator: cli.json ? jsonNarrator() : plainNarrator(),
        signal: stop.signal,
      })
      // A Ctrl-C after the whole story (--keep) is no failure.
      cli.setExitCode(ok ? EXIT.ok : stop.exitCode() || EXIT.failed)
    })
}
