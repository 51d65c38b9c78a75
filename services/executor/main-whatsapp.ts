import { join } from 'node:path'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { remoteWhatsApp } from '#adapters/whatsapp/remote.ts'
import type { Channel } from '#core/ports/channel.ts'
import { createWhatsAppServer } from '#mcp/whatsapp/server.ts'
import { sendMessage } from '#mcp/whatsapp/tools/send-message.ts'
import type { ServiceContext } from '#runtime/service.ts'
import type { ExecutorConfig } from './config.ts'
import { messageTaker } from './take-messages.ts'
import { whatsappChannel } from './whatsapp-channel.ts'
import { actingWith, type ExecutorParts, TOOL_LIMIT_MS } from './wire-executor.ts'

/** How often the WhatsApp service is asked for news. */
const LOOK_MS = 1_000
const MAX_SILENCE_MS = 120_000
const MAX_WAIT_MS = 120_000

/** The channel of WhatsApp, and what takes its messages in; none where it is not set up. */
export async function openWhatsAppChannel(
  config: ExecutorConfig,
  parts: ExecutorParts,
  service: Pick<ServiceContext, 'log' | 'resources' | 'metrics' | 'progress'>,
): Promise<Channel[]> {
  const { whatsappUrl: url, whatsappState: folder } = config
  if (url === undefined || folder === undefined) return []
  const { clock, vault, ledger } = parts
  const { log, metrics, resources } = service
  const whatsapp = remoteWhatsApp({ url, folder })
  const send = sendMessage({ ...actingWith(parts), send: (action, { receipt }) => whatsapp.send(action, receipt) })
  const client = resources.use(await connectInProcess(createWhatsAppServer([send])))
  const take = messageTaker({
    ...{ whatsapp, vault, ledger, clock, log, metrics, agent: config.agent },
    seen: resources.use(openSeenMail(join(config.state, 'whatsapp-taken.sqlite'))),
    quietMs: config.whatsappQuietMs,
    maxWaitMs: Math.max(MAX_WAIT_MS, config.whatsappQuietMs),
  })
  const beat = service.progress('whatsapp-messages', MAX_SILENCE_MS)
  let isTaking = false
  let isAway = false
  const look = async () => {
    if (isTaking) return
    isTaking = true
    try {
      await take()
      isAway = false
    } catch (error) {
      // Told once: that the service is away, the channel tells the person.
      if (!isAway) log.warn({ err: error }, 'WhatsApp messages could not be taken in; will try again')
      isAway = true
    } finally {
      isTaking = false
      beat()
    }
  }
  const timer = setInterval(() => void look(), LOOK_MS)
  resources.defer(() => clearInterval(timer))
  return [
    whatsappChannel({
      ...{ whatsapp, clock, log },
      call: (action, receipt) => client.call('send_message', { action, receipt }, TOOL_LIMIT_MS),
    }),
  ]
}
