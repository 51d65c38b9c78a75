import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { GmailAccount } from '#adapters/gmail/gmail-client.ts'
import { imapSearch } from '#adapters/imap/imap-search.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { type ToolName, toolsByTable } from '#core/mcp-tools.ts'
import type { SearchMail } from '#core/ports/mail.ts'
import { loadConfig } from '#runtime/config.ts'
import { gmailReadingAccountOf, imapAccountOf } from '#runtime/mail-accounts.ts'
import { draftReply } from '#services/drafter/draft-reply.ts'
import { claimedJobs } from '#services/drafter/hand-in.ts'
import { type CloudConfig, cloudSettings } from './config.ts'
import { createEmailServer, type EmailTool } from './server.ts'
import { draftEmail, type HandInDraft } from './tools/draft-email.ts'
import { searchEmails } from './tools/search-emails.ts'

/** Serves the cloud's tools on stdin and stdout: they look and draft, and nothing else is in this program. */
export async function serve(): Promise<void> {
  const tools = await readingTools(loadConfig('mcp-email', cloudSettings))
  serveStdio(() => createEmailServer(tools))
}

export async function readingTools(config: CloudConfig): Promise<EmailTool[]> {
  const search = await searchIn(config, gmailReadingAccountOf(config))
  return toolsByTable('email', 'cloud', await cloudTools(config, search))
}

/** Only what is used is loaded: Gmail's library takes memory. */
export async function searchIn(config: CloudConfig, gmail: GmailAccount): Promise<SearchMail> {
  if (config.mailboxProvider === 'gmail') return (await import('#adapters/gmail/gmail-search.ts')).gmailSearch(gmail)
  return imapSearch(imapAccountOf(config), { mailbox: config.imapMailbox })
}

export async function cloudTools(
  config: CloudConfig,
  search: SearchMail,
): Promise<Record<ToolName<'email', 'cloud'>, EmailTool>> {
  const vault = await openVault(config.vault)
  const clock = { now: () => Date.now() }
  const ledger = openLedger({ vaultRoot: vault.root, stateDir: config.state, agent: config.agent, clock })
  const handIn: HandInDraft = async (taskId, body) => {
    const job = (await claimedJobs(vault, config.agent)).find((claimed) => claimed.taskId === taskId)
    if (!job) return { kind: 'lost' }
    const outcome = await draftReply(job, {
      ...{ vault, ledger, clock, zone: config.zone, agent: config.agent },
      ...{ ownerAddress: config.ownerAddress, ownerName: config.ownerName },
      write: async () => ({ text: body, by: 'draft_email', model: 'an MCP client', costUsd: '0' }),
      expiresAfterMs: config.expiresDays * 86_400_000,
    })
    return outcome.kind === 'left' ? { kind: 'unusable', problem: 'this task is no mail: use draft_post' } : outcome
  }
  return { search_emails: searchEmails(search), draft_email: draftEmail(handIn) }
}
