import type { ConfigOf } from './config.ts'
import type { notifySettings } from './settings.ts'

/** The ways to tell the person that the settings name, as adapters/notify takes them; secrets are read again at each use. */
export function notifyWaysOf(config: ConfigOf<typeof notifySettings>, platform: NodeJS.Platform) {
  const { notifyNtfyUrl, notifyNtfyToken, notifyWebhookUrl, notifyWebhookSecret } = config
  return {
    desktop: config.notifyDesktop,
    platform,
    ntfy: notifyNtfyUrl ? { url: notifyNtfyUrl, token: notifyNtfyToken && (() => notifyNtfyToken.read()) } : undefined,
    webhook: notifyWebhookUrl ? { url: notifyWebhookUrl, secret: () => notifyWebhookSecret?.read() ?? '' } : undefined,
  }
}
