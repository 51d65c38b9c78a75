import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { type ToolName, toolsByTable } from '#core/mcp-tools.ts'
import { loadConfig } from '#runtime/config.ts'
import { draftPost } from '#services/drafter/draft-post.ts'
import { claimedJobs } from '#services/drafter/hand-in.ts'
import { type CloudConfig, cloudSettings } from './config.ts'
import { createSocialServer, type SocialTool } from './server.ts'
import { draftPostTool, type HandInPost } from './tools/draft-post.ts'

/** Serves the cloud's tools on stdin and stdout: they draft, and nothing else is in this program. */
export async function serve(): Promise<void> {
  const tools = toolsByTable('social', 'cloud', await cloudTools(loadConfig('mcp-social', cloudSettings)))
  serveStdio(() => createSocialServer(tools))
}

export async function cloudTools(config: CloudConfig): Promise<Record<ToolName<'social', 'cloud'>, SocialTool>> {
  const vault = await openVault(config.vault)
  const clock = { now: () => Date.now() }
  const ledger = openLedger({ vaultRoot: vault.root, stateDir: config.state, agent: config.agent, clock })
  const handIn: HandInPost = async (taskId, post) => {
    const job = (await claimedJobs(vault, config.agent)).find((claimed) => claimed.taskId === taskId)
    if (!job) return { kind: 'lost' }
    return draftPost(job, post, {
      ...{ vault, ledger, clock, zone: config.zone, agent: config.agent },
      ...{ accounts: config.socialAccounts, by: 'draft_post', expiresAfterMs: config.expiresDays * 86_400_000 },
    })
  }
  return { draft_post: draftPostTool(handIn) }
}
