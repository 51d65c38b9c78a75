import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { remoteWhatsApp } from '#adapters/whatsapp/remote.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import { loadConfig } from '#runtime/config.ts'
import { actingOutside } from '../shared/main-local.ts'
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
  const acting = await actingOutside(config, 'send_message')
  const whatsapp = remoteWhatsApp({ url: config.whatsappUrl, folder: config.whatsappState })
  const send = sendMessage({
    ...acting,
    send: (action, { receipt }) => whatsapp.send(action, receipt),
  })
  return toolsByTable('whatsapp', 'local', { get_messages: getMessages(whatsapp, asShown), send_message: send })
}
