import { join } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { openJournal } from '#adapters/journal/journal.ts'
import { readCountersignKey } from '#adapters/keys/trust-files.ts'
import { openNetworks } from '#adapters/social/open-networks.ts'
import { CountersignError } from '#core/errors.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import { type ConfigOf, loadConfig } from '#runtime/config.ts'
import { networkOptionsOf } from '#runtime/social-accounts.ts'
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
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `publish_post was asked for in the zone ${config.zone}`)
  await readCountersignKey(config.trust, config.agent)
  const clock = { now: () => Date.now() }
  let journal: JournalPort | undefined
  const deps = {
    clock,
    // Read for each call: the key may have been replaced since the last one.
    publicKey: () => readCountersignKey(config.trust, config.agent),
    networks: openNetworks(config.socialAccounts, { ...networkOptionsOf(config), clock }),
    consume(receipt: Parameters<JournalPort['consume']>[0], now: number) {
      // Joined anew for each call: the executor may have been restarted since the last one.
      journal?.[Symbol.dispose]()
      journal = openJournal(join(config.state, 'journal.sqlite'), { epoch: 'join' })
      return journal.consume(receipt, now)
    },
    isNewest: () => journal?.isNewest() ?? false,
  }
  return toolsByTable('social', 'local', {
    ...(await cloudTools(config)),
    ...{ publish_post: publishPost(deps), create_post: createPost(deps) },
  })
}
