import type { Command } from 'commander'
import { readTrust, revokeAgent } from '#adapters/keys/trust-files.ts'
import type { Oid } from '#core/ports/repo.ts'
import { sshFingerprint, type Trust } from '#core/trust.ts'
import { type Cli, example, PROGRAM } from '../cli.ts'
import { commitId, lastVerified } from '../last-verified.ts'
import { renderTable } from '../table.ts'
import type { ZoneHome } from '../zone-home.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .command('list', { isDefault: true })
    .description('whose signatures this zone believes, and which keys it believes no longer')
    .addHelpText('after', example('trust list', '--zone cloud trust list --json'))
    .action(async () => {
      const trust = await readTrust((await cli.home()).trust)
      cli.answer(trust, renderTable(rowsOf(trust)))
    })
  command
    .command('revoke <agent>')
    .description('believe an agent’s keys no longer, but for the history that has been verified')
    .option('--after <commit>', 'the last commit that counts; default: the newest that this zone has verified')
    .addHelpText('after', example('trust revoke cloud', `--zone cloud trust revoke cloud --after ${'8f'.repeat(20)}`))
    .action(async (agent: string, options: { after?: string }) => {
      const home = await cli.home()
      const after = options.after === undefined ? lastVerified(home) : commitId(options.after)
      const key = await revokeAgent(home.trust, agent, after)
      cli.answer(key, renderRevoked(home, agent, after))
    })
}

function rowsOf({ agents, revoked }: Trust): string[][] {
  return [
    ...agents.map((one) => [one.name, one.zone, sshFingerprint(one.signing), 'believed']),
    ...revoked.map((one) => [one.name, one.zone, sshFingerprint(one.signing), `up to ${one.after ?? 'nothing'}`]),
  ]
}

function renderRevoked(home: ZoneHome, agent: string, after: Oid): string {
  const here = home.zone === 'cloud' ? 'the hub of this machine and sync hold' : 'sync holds'
  const there = home.zone === 'cloud' ? 'local' : 'cloud'
  const own = `These are the keys of this machine itself: remove signing, deploy and ledger.pem from ${home.keys}, then run init again.`
  return [
    `Agent ${agent} is believed no longer: its signatures count up to ${after}, its deploy key opens nothing.`,
    `From now on ${here} to it. In the ${there} zone the same is needed:`,
    `  ${PROGRAM} --zone ${there} trust revoke ${agent} --after ${after}`,
    'A connection that is open to the hub stays open until the hub’s container is started anew. What comes next:',
    '"After a key was revoked" in docs/trust-gate.md.',
    ...(agent === home.agent ? [own] : []),
  ].join('\n')
}
