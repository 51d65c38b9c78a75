import { type Command, Option } from 'commander'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { CountersignError } from '#core/errors.ts'
import { MAX_WHY } from '#core/hand-over.ts'
import { DOMAINS, type Domain } from '#core/vault-path.ts'
import { ZONES, type Zone } from '#core/zone-policy.ts'
import { type Cli, example } from '../cli.ts'
import { giveBack } from '../give-back.ts'
import type { ZoneHome } from '../zone-home.ts'

interface Options {
  readonly to?: Zone
  readonly domain?: Domain
  readonly why?: string
}

/** `transfer`, and under the same rules `task transfer`. */
export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .argument('[agent]', 'an agent of either zone')
    .addOption(new Option('--to <zone>', 'to the agent of a zone').choices(ZONES))
    .addOption(new Option('--domain <domain>', 'what the task is really about').choices(DOMAINS))
    .option('--why <text>', 'a few words for whoever takes it up')
    .addHelpText(
      'after',
      '\nThe task goes back to Needs_Action/, and only that agent may claim it. Refused, with the reason: to an agent whose zone may not\ntake up its domain, of what was approved already, and of anything private that would leave this machine.',
    )
    .addHelpText(
      'after',
      example('transfer 7h3k9q --to cloud', 'transfer 7h3k9q --domain payment --why "it is a bill"'),
    )
    .action(async (reference: string, agent: string | undefined, options: Options) => {
      const { to, domain, why } = options
      if ([agent, to, domain].every((one) => one === undefined))
        throw new CountersignError('ERR_USAGE', 'transfer: name an agent, a zone (--to), or another domain (--domain)')
      if (agent !== undefined && to !== undefined)
        throw new CountersignError('ERR_USAGE', 'transfer: an agent and --to say the same twice; leave one out')
      if ((why?.length ?? 0) > MAX_WHY)
        throw new CountersignError(
          'ERR_USAGE',
          `transfer: --why has ${why?.length} characters; at most ${MAX_WHY} are kept`,
        )
      const keptFor = agent ?? (to && (await agentOf(to, await cli.home())))
      await giveBack(reference, keptFor, cli, { domain, why })
    })
}

/** Throws ERR_USAGE where a zone has none or several. */
async function agentOf(zone: Zone, home: ZoneHome): Promise<string> {
  const own = home.zone === zone ? [home.agent] : []
  const known = (await readAgents(home.trust)).filter((one) => one.zone === zone).map(({ name }) => name)
  const names = [...new Set([...own, ...known])].sort()
  const [only] = names
  if (only !== undefined && names.length === 1) return only
  const say = names.length === 0 ? 'no agent of it is known here' : `there are several: ${names.join(', ')}; name one`
  throw new CountersignError('ERR_USAGE', `transfer to the zone ${zone}: ${say}`)
}
