import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { openNetworks } from '#adapters/social/open-networks.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import { type ConfigOf, loadConfig } from '#runtime/config.ts'
import { networkOptionsOf } from '#runtime/social-accounts.ts'
import { actingOutside } from '../shared/main-local.ts'
import { localSettings } from './config.ts'
import { cloudTools } from './main-cloud.ts'
import { createSocialServer, type SocialTool } from './server.ts'
import { createPost, publishPost } from './tools/publish-post.ts'

/**
 * Serves all social tools of the local zone on stdin and stdout. Those that act work under the running executor's epoch and
 * only with a receipt which that executor journaled, so that another client cannot act by itself.
 */
export async function serve(): Promise<void> {
  const tools = await localTools(loadConfig('mcp-social', localSettings))
  serveStdio(() => createSocialServer(tools))
}

export async function localTools(config: ConfigOf<typeof localSettings>): Promise<SocialTool[]> {
  const acting = await actingOutside(config, 'publish_post')
  const deps = {
    ...acting,
    vault: await openVault(config.vault),
    networks: openNetworks(config.socialAccounts, { ...networkOptionsOf(config), clock: acting.clock }),
  }
  return toolsByTable('social', 'local', {
    ...(await cloudTools(config)),
    ...{ publish_post: publishPost(deps), create_post: createPost(deps) },
  })
}
