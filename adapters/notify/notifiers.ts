import type { Clock } from '#core/ports/clock.ts'
import type { Notifier } from '#core/ports/notifier.ts'
import { desktopNotifier } from './desktop.ts'
import { type NtfyOptions, ntfyNotifier } from './ntfy.ts'
import { type WebhookOptions, webhookNotifier } from './webhook.ts'

export interface NotifyOptions {
  /** `auto`: where it works. */
  readonly desktop: 'auto' | 'on' | 'off'
  readonly platform: NodeJS.Platform
  readonly ntfy: NtfyOptions | undefined
  readonly webhook: Omit<WebhookOptions, 'clock'> | undefined
  readonly clock: Clock
}

/** Every way that is set. */
export function openNotifiers({ desktop, platform, ntfy, webhook, clock }: NotifyOptions): Notifier[] {
  return [
    ...(desktop === 'off' ? [] : [desktopNotifier({ platform, isOptional: desktop === 'auto' })]),
    ...(ntfy ? [ntfyNotifier(ntfy)] : []),
    ...(webhook ? [webhookNotifier({ ...webhook, clock })] : []),
  ]
}
