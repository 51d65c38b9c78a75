import { join } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { openJournal } from '#adapters/journal/journal.ts'
import { readCountersignKey } from '#adapters/keys/trust-files.ts'
import { remoteWhatsApp } from '#adapters/whatsapp/remote.ts'
import { CountersignError } from '#core/errors.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import { loadConfig } from '#runtime/config.ts'
import { type WhatsAppServerConfig, whatsappServerSettings } from './config.ts'
import { createWhatsAppServer, type WhatsAppTool } from './server.ts'
import { asShown, getMessages } from './tools/get-messages.ts'
import { sendMessage } from './tools/send-message.ts'

/**
 * Serves the WhatsApp tools on stdin and stdout, through the service that holds the session. `send_message` works under the
 * running executor's epoch and only with a receipt which that executor journaled; the service checks it once more.
 */
export async function serve(): Promise<void> {
  const tools = await localTools(loadConfig('mcp-whatsapp', whatsappServerSettings))
  serveStdio(() => createWhatsAppServer(tools))
}

export async function localTools(config: WhatsAppServerConfig): Promise<WhatsAppTool[]> {
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `send_message was asked for in the zone ${config.zone}`)
  await readCountersignKey(config.trust, config.agent)
  const whatsapp = remoteWhatsApp({ url: config.whatsappUrl, folder: config.whatsappState })
  let journal: JournalPort | undefined
  const send = sendMessage({
    // Read for each call: the key may have been replaced since the last one.
    publicKey: () => readCountersignKey(config.trust, config.agent),
    clock: { now: () => Date.now() },
    consume(receipt, now) {
      // Joined anew for each call: the executor may have been restarted since the last one.
      journal?.[Symbol.dispose]()
      journal = openJournal(join(config.state, 'journal.sqlite'), { epoch: 'join' })
      return journal.consume(receipt, now)
    },
    isNewest: () => journal?.isNewest() ?? false,
    send: (action, { receipt }) => whatsapp.send(action, receipt),
  })
  return toolsByTable('whatsapp', 'local', { get_messages: getMessages(whatsapp, asShown), send_message: send })
}
