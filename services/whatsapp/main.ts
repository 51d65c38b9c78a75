import { readCountersignKey } from '#adapters/keys/trust-files.ts'
import { openClient } from '#adapters/whatsapp/client.ts'
import { serveEndpoint } from '#adapters/whatsapp/endpoint.ts'
import { mediaFolder } from '#adapters/whatsapp/media-folder.ts'
import { openFolder, removeProfile, removeStaleLocks } from '#adapters/whatsapp/profile.ts'
import { openStore } from '#adapters/whatsapp/store.ts'
import { CountersignError } from '#core/errors.ts'
import type { ConsumeVerdict } from '#core/ports/journal.ts'
import { isChatAllowed } from '#core/whatsapp-chat.ts'
import { createWhatsAppServer } from '#mcp/whatsapp/server.ts'
import { getMessages } from '#mcp/whatsapp/tools/get-messages.ts'
import { sendMessage } from '#mcp/whatsapp/tools/send-message.ts'
import { loadServiceConfig } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { whatsappServiceSettings } from './config.ts'
import { keepSession } from './keep-session.ts'
import { sendOnce } from './send-once.ts'

const LOOK_MS = 500
const PING_MS = 10_000
/** Longer than starting a browser, and closing it, may take. */
const MAX_SILENCE_MS = 180_000
const TIDY_MS = 6 * 60 * 60_000
/** Of a chat, so many messages are looked at. */
const SHOWN = 50
/** The version that the page of the tests claims to be. */
const STAND_IN = '2.3000.0-stand-in'

const config = loadServiceConfig('whatsapp', whatsappServiceSettings)

await runService('whatsapp', config, async (service) => {
  const { log, metrics, resources } = service
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `the WhatsApp service was started in the zone ${config.zone}`)
  const clock = { now: () => Date.now() }
  const folder = await openFolder(config.whatsappState, config.vault)
  await readCountersignKey(config.trust, config.agent)
  const memory = resources.use(openStore(folder, clock.now()))
  const media = mediaFolder(folder)
  const tidyMedia = () => media.tidy(clock.now()).catch((err: unknown) => log.warn({ err }, 'old files stay'))
  void tidyMedia()
  const tidying = setInterval(tidyMedia, TIDY_MS)
  resources.defer(() => clearInterval(tidying))
  // The library leaves promises behind when its browser dies: that is told by its end, which is looked after.
  process.on('unhandledRejection', (err) => log.warn({ err }, 'the WhatsApp client left a fault behind'))

  const chats = config.whatsappChats
  const pacing = { gapMs: config.whatsappGapMs, perDay: config.whatsappPerDay }
  const keeper = resources.use(
    keepSession({
      ...{ memory, clock, log, metrics, lookMs: LOOK_MS, pingMs: PING_MS, pacing },
      firstPauseMs: config.whatsappPauseMs,
      open: (handlers) =>
        openClient(
          {
            ...{
              folder,
              media,
              chromium: config.chromium,
              hasSandbox: config.chromiumSandbox,
              ackMs: config.whatsappAckMs,
            },
            isWanted: (id, number) => isChatAllowed({ id, number }, chats),
            ...(config.whatsappPage && { standIn: { path: config.whatsappPage, version: STAND_IN } }),
          },
          handlers,
        ),
      tidy: () => removeStaleLocks(folder),
      forget: () => removeProfile(folder),
      beat: service.progress('session', MAX_SILENCE_MS),
    }),
  )
  service.check('session', () => keeper.session().state === 'ready' || keeper.status().say)

  const look = {
    changesAfter: async (position: number) => memory.changesAfter(position),
    async messagesOf(chat: string) {
      const client = keeper.client()
      if (!client) throw new CountersignError('ERR_WHATSAPP_UNREACHABLE', keeper.status().say)
      if (!isChatAllowed({ id: chat }, chats) && !chat.endsWith('@lid')) return []
      return (await client.messagesOf(chat, SHOWN)).map((message) => {
        const task = message.from_me ? memory.taskOf(message.id) : undefined
        return task === undefined ? message : { ...message, task }
      })
    },
  }
  const send = sendMessage({
    // Read for each call: the key may have been replaced since the last one.
    publicKey: () => readCountersignKey(config.trust, config.agent),
    clock,
    // Used up here, too, by a memory that the executor cannot lose: the same receipt never sends twice.
    consume: (receipt, now): ConsumeVerdict =>
      memory.use(receipt.nonce, receipt.task, now)
        ? { kind: 'consumed', key: receipt.task, intendedAt: now }
        : { kind: 'refused', rule: 'spent' },
    // Whoever holds the store is the only one.
    isNewest: () => true,
    send: (action, use) => sendOnce(action, use, { keeper, memory, chats, clock, pacing }),
  })
  const { port } = resources.use(
    await serveEndpoint(
      { folder, host: config.whatsappHost, port: config.whatsappPort, names: ['whatsapp'] },
      {
        makeServer: () => createWhatsAppServer([getMessages(look), send]),
        status: () => keeper.status(),
        code: () => keeper.code(),
        askToLink: () => keeper.askToLink(),
        logout: () => keeper.logout(),
      },
    ),
  )
  log.info({ port }, 'serving the WhatsApp session')
})
