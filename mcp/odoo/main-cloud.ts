import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { openOdoo } from '#adapters/odoo/open-odoo.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { invoiceFront } from '#core/invoice.ts'
import type { TaskJob } from '#core/jobs.ts'
import { type ToolName, toolsByTable } from '#core/mcp-tools.ts'
import type { BookedDraft } from '#core/ports/accounting.ts'
import { renderTaskFile, withFront } from '#core/task-file.ts'
import { decideZone } from '#core/zone-policy.ts'
import { loadConfig } from '#runtime/config.ts'
import { odooAccountOf } from '#runtime/odoo-account.ts'
import { type Claimed, claimedJobs, findClaimed } from '#services/drafter/hand-in.ts'
import { type CloudConfig, cloudSettings } from './config.ts'
import { createOdooServer, type OdooTool } from './server.ts'
import { createDraftTool, type DraftInvoice } from './tools/create-draft.ts'
import { getDataTool } from './tools/get-data.ts'

/** Serves the cloud's tools on stdin and stdout: they look and draft, and nothing else is in this program. */
export async function serve(): Promise<void> {
  const tools = toolsByTable('odoo', 'cloud', await cloudTools(loadConfig('mcp-odoo', cloudSettings)))
  serveStdio(() => createOdooServer(tools))
}

export async function cloudTools(config: CloudConfig): Promise<Record<ToolName<'odoo', 'cloud'>, OdooTool>> {
  const vault = await openVault(config.vault)
  const books = openOdoo(odooAccountOf(config), config.zone)
  /** Into the file as it stands by then: a message may have joined it. One that has moved on is not written any more. */
  const note = async (draft: BookedDraft, job: TaskJob, claimed: Claimed) => {
    for (let now: Claimed | undefined = claimed; now; now = await findClaimed(job, { vault, agent: config.agent })) {
      const noted = withFront(now.task, { invoice: invoiceFront(draft) })
      if ((await vault.replaceIf(now.path, now.text, renderTaskFile(noted))) !== 'changed') return
    }
  }
  const draftInvoice: DraftInvoice = async (taskId, order) => {
    const job = (await claimedJobs(vault, config.agent)).find((claimed) => claimed.taskId === taskId)
    const claimed = job && (await findClaimed(job, { vault, agent: config.agent }))
    if (!claimed) return undefined
    const decision = decideZone(config.zone, claimed.task.front.domain, 'draft')
    if (!decision.allow) return { kind: 'refused', say: decision.rule }
    const outcome = await books.createDraft(order)
    if ('draft' in outcome) await note(outcome.draft, job, claimed)
    return outcome
  }
  return { get_data: getDataTool(books.getData), create_draft: createDraftTool(draftInvoice) }
}
