import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { openActingBooks } from '#adapters/odoo/acting/open-acting.ts'
import { describeFile } from '#core/attachment.ts'
import { CountersignError } from '#core/errors.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { vaultPath } from '#core/vault-path.ts'
import { createOdooServer } from '#mcp/odoo/server.ts'
import { postInvoice } from '#mcp/odoo/tools/post-invoice.ts'
import { recordPayment } from '#mcp/odoo/tools/record-payment.ts'
import { hasOdoo, odooAccountOf } from '#runtime/odoo-account.ts'
import type { ServiceContext } from '#runtime/service.ts'
import { booksChannel } from './books-channel.ts'
import type { ExecutorConfig } from './config.ts'
import { actingWith, type ExecutorParts, TOOL_LIMIT_MS } from './wire-executor.ts'

/** The channel of the books; none where no Odoo is set up. */
export async function openBooksChannels(
  config: ExecutorConfig,
  parts: ExecutorParts,
  { log, resources }: Pick<ServiceContext, 'log' | 'resources'>,
): Promise<Channel[]> {
  if (!hasOdoo(config)) return []
  const books = openActingBooks(odooAccountOf(config))
  const deps = { ...actingWith(parts), books }
  const client = resources.use(await connectInProcess(createOdooServer([postInvoice(deps), recordPayment(deps)])))
  const call = (tool: string, action: object, receipt: object) => client.call(tool, { action, receipt }, TOOL_LIMIT_MS)
  return [booksChannel({ books, clock: parts.clock, log, call, keepDocument: documentKeeper(parts.vault) })]
}

/** Puts a document among the attachments, by its content; undefined for one that is too large. */
export function documentKeeper(vault: Pick<VaultPort, 'create'>) {
  return async (bytes: Uint8Array): Promise<string | undefined> => {
    try {
      const { path } = describeFile('invoice.pdf', bytes)
      await vault.create(vaultPath(path), bytes)
      return path
    } catch (error) {
      if (error instanceof CountersignError && error.code === 'ERR_USAGE') return undefined
      throw error
    }
  }
}
