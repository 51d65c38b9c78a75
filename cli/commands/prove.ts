import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { gatherProof, proofPlaces, renderProof } from '../prove.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .addHelpText(
      'after',
      `\nRun it where the cloud zone runs: docker compose -f compose.cloud.yml exec health countersign prove
It tries for real what the zone must not be able to do, and takes a minute at most. Exit code 0 when all of it was refused, 1 when something was not, 7 when nothing
was found but not everything could be looked at (docs/prove.md).`,
    )
    .action(async () => {
      const proof = await gatherProof(proofPlaces(process.env, process.argv[1] ?? ''), Date.now())
      cli.answer({ ...proof }, renderProof(proof))
      cli.setExitCode({ holds: EXIT.ok, broken: EXIT.failed, incomplete: EXIT.incomplete }[proof.verdict])
    })
}
