import { join } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { openJournal } from '#adapters/journal/journal.ts'
import { readCountersignKey } from '#adapters/keys/trust-files.ts'
import { openActingBooks } from '#adapters/odoo/acting/open-acting.ts'
import { CountersignError } from '#core/errors.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import { type ConfigOf, loadConfig } from '#runtime/config.ts'
import { odooAccountOf } from '#runtime/odoo-account.ts'
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
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `post_invoice was asked for in the zone ${config.zone}`)
  await readCountersignKey(config.trust, config.agent)
  let journal: JournalPort | undefined
  const deps = {
    clock: { now: () => Date.now() },
    // Read for each call: the key may have been replaced since the last one.
    publicKey: () => readCountersignKey(config.trust, config.agent),
    books: openActingBooks(odooAccountOf(config)),
    consume(receipt: Parameters<JournalPort['consume']>[0], now: number) {
      // Joined anew for each call: the executor may have been restarted since the last one.
      journal?.[Symbol.dispose]()
      journal = openJournal(join(config.state, 'journal.sqlite'), { epoch: 'join' })
      return journal.consume(receipt, now)
    },
    isNewest: () => journal?.isNewest() ?? false,
  }
  return toolsByTable('odoo', 'local', {
    ...(await cloudTools(config)),
    ...{ post_invoice: postInvoice(deps), record_payment: recordPayment(deps) },
  })
}
