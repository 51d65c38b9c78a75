import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { openNetworks } from '#adapters/social/open-networks.ts'
import type { Channel } from '#core/ports/channel.ts'
import { createSocialServer } from '#mcp/social/server.ts'
import { createPost, publishPost } from '#mcp/social/tools/publish-post.ts'
import type { ServiceContext } from '#runtime/service.ts'
import { networkOptionsOf } from '#runtime/social-accounts.ts'
import type { ExecutorConfig } from './config.ts'
import { patientNetwork } from './patient-network.ts'
import { socialChannel } from './social-channel.ts'
import { actingWith, type ExecutorParts, TOOL_LIMIT_MS } from './wire-executor.ts'

/** The channel of social networks; none where no account is set up. */
export async function openSocialChannels(
  config: ExecutorConfig,
  parts: ExecutorParts,
  { log, resources }: Pick<ServiceContext, 'log' | 'resources'>,
): Promise<Channel[]> {
  const { clock, vault } = parts
  const opened = openNetworks(config.socialAccounts, { ...networkOptionsOf(config), clock })
  if (opened.length === 0) return []
  const networks = opened.map((network) => patientNetwork(network, clock, log))
  const deps = { ...actingWith(parts), networks, vault }
  const client = resources.use(await connectInProcess(createSocialServer([publishPost(deps), createPost(deps)])))
  const call = (tool: string, action: object, receipt: object) => client.call(tool, { action, receipt }, TOOL_LIMIT_MS)
  return [socialChannel({ networks, vault, clock, call })]
}
