import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { type Cli, example, type GlobalOptions } from '../cli.ts'
import { addWorldOptions, type WorldOptions } from '../world-options.ts'

type StartOptions = GlobalOptions & WorldOptions & { undo: string }

export function configure(command: Command, cli: Cli): void {
  addWorldOptions(command.option('--undo <seconds>', 'how long an approval can be taken back', '10'))
    .addHelpText(
      'after',
      '\nBoth zones run on this machine in ./zones/playground (or --home) with a mailbox of their own, until Ctrl-C. The vault\nstays for the next start; nothing leaves the machine.',
    )
    .addHelpText('after', example('start', 'start --undo 3'))
    .action(async () => {
      const options = command.optsWithGlobals<StartOptions>()
      if (!/^\d{1,5}$/.test(options.undo))
        throw new CountersignError('ERR_USAGE', `--undo ${options.undo}: expected a number of seconds`)
      const { runPlayground } = await import('../../demo/playground.ts')
      const { Interrupted } = await import('../../demo/until.ts')
      const { stopSignals } = await import('../../demo/stop-signals.ts')
      using stop = stopSignals()
      try {
        await runPlayground({
          root: resolve(options.home ?? 'zones/playground'),
          undoMs: Number(options.undo) * 1000,
          ...(options.redis ? { redis: options.redis } : {}),
          mailbox: options.mailbox,
          env: cli.env,
          say: (line) => void process.stdout.write(`${line}\n`),
          signal: stop.signal,
        })
      } catch (error) {
        // A Ctrl-C while it was coming up: all of it is stopped again.
        if (!(error instanceof Interrupted)) throw error
      }
    })
}
