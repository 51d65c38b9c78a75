import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { openActingBooks } from '#adapters/odoo/acting/open-acting.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import { type ConfigOf, loadConfig } from '#runtime/config.ts'
import { odooAccountOf } from '#runtime/odoo-account.ts'
import { actingOutside } from '../shared/main-local.ts'
import { localSettings } from './config.ts'
import { cloudTools } from './main-cloud.ts'
import { createOdooServer, type OdooTool } from './server.ts'
import { postInvoice } from './tools/post-invoice.ts'
import { recordPayment } from './tools/record-payment.ts'

/**
 * Serves all Odoo tools of the local zone on stdin and stdout. Those that act work under the running executor's epoch and
 * only with a receipt which that executor journaled, so that another client cannot act by itself.
 */
export async function serve(): Promise<void> {
  const tools = await localTools(loadConfig('mcp-odoo', localSettings))
  serveStdio(() => createOdooServer(tools))
}

export async function localTools(config: ConfigOf<typeof localSettings>): Promise<OdooTool[]> {
  const acting = await actingOutside(config, 'post_invoice')
  const deps = {
    ...acting,
    books: openActingBooks(odooAccountOf(config)),
  }
  return toolsByTable('odoo', 'local', {
    ...(await cloudTools(config)),
    ...{ post_invoice: postInvoice(deps), record_payment: recordPayment(deps) },
  })
}
