import { chatRuleList } from '#core/whatsapp-chat.ts'
import type { ConfigOf } from '#runtime/config.ts'
import {
  flag,
  folder,
  milliseconds,
  optional,
  processSettings,
  setting,
  text,
  wholeNumber,
  zoneSettings,
} from '#runtime/settings.ts'

/** Settings of the service that holds the WhatsApp session. It has no vault, no journal and no key. */
export const whatsappServiceSettings = {
  ...processSettings,
  /** The session, what came, what was sent. Whoever has it can write as the owner. */
  whatsappState: setting('COUNTERSIGN_WHATSAPP_STATE', folder()),
  whatsappChats: setting('COUNTERSIGN_WHATSAPP_CHATS', chatRuleList),
  /** Where the public half of the countersigning key stands. */
  trust: zoneSettings.trust,
  /** Only to make sure that the session does not stand in it. */
  vault: setting('COUNTERSIGN_VAULT', optional(folder())),
  whatsappHost: setting('COUNTERSIGN_WHATSAPP_HOST', text('an address to listen on', '127.0.0.1')),
  /** 0: any free one. */
  whatsappPort: setting('COUNTERSIGN_WHATSAPP_PORT', wholeNumber(0, 65_535, 8790)),
  chromium: setting('COUNTERSIGN_CHROMIUM', text('the path of Chromium', '/usr/bin/chromium')),
  /** Off where the container itself is the sandbox, and gives Chromium no name spaces for its own. */
  chromiumSandbox: setting('COUNTERSIGN_CHROMIUM_SANDBOX', flag(true)),
  /** Between two messages that are sent. */
  whatsappGapMs: setting('COUNTERSIGN_WHATSAPP_GAP_MS', milliseconds(5_000)),
  /** After the first attempt at the session that came to nothing; it doubles with each one, up to 15 minutes. */
  whatsappPauseMs: setting('COUNTERSIGN_WHATSAPP_PAUSE_MS', wholeNumber(100, 900_000, 5_000)),
  /** How long WhatsApp's server may take to confirm a message. */
  whatsappAckMs: setting('COUNTERSIGN_WHATSAPP_ACK_MS', wholeNumber(100, 120_000, 30_000)),
  /** Messages sent in 24 hours, at most. */
  whatsappPerDay: setting('COUNTERSIGN_WHATSAPP_PER_DAY', wholeNumber(1, 1_000, 100)),
  /** A folder with a page that stands in for WhatsApp Web; for tests. */
  whatsappPage: setting('COUNTERSIGN_WHATSAPP_PAGE', optional(folder())),
}
export type WhatsAppServiceConfig = ConfigOf<typeof whatsappServiceSettings>
