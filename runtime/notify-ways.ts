import { CountersignError } from '#core/errors.ts'
import type { ConfigOf } from './config.ts'
import type { notifySettings } from './settings.ts'

/**
 * The ways to tell the person that the settings name, as adapters/notify takes them; secrets are read again at each
 * use. Throws ERR_CONFIG_INVALID for a webhook without a secret.
 */
export function notifyWaysOf(config: ConfigOf<typeof notifySettings>, platform: NodeJS.Platform) {
  const { notifyNtfyUrl, notifyNtfyToken, notifyWebhookUrl, notifyWebhookSecret } = config
  if (notifyWebhookUrl && !notifyWebhookSecret)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      'COUNTERSIGN_NOTIFY_WEBHOOK_SECRET_FILE: missing; what is sent to the webhook is signed with a secret from a file',
    )
  return {
    desktop: config.notifyDesktop,
    platform,
    ntfy: notifyNtfyUrl ? { url: notifyNtfyUrl, token: notifyNtfyToken && (() => notifyNtfyToken.read()) } : undefined,
    webhook: notifyWebhookUrl ? { url: notifyWebhookUrl, secret: () => notifyWebhookSecret?.read() ?? '' } : undefined,
  }
}
