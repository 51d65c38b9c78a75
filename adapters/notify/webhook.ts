import { createHmac } from 'node:crypto'
import type { Clock } from '#core/ports/clock.ts'
import type { Notifier } from '#core/ports/notifier.ts'
import { post } from './post.ts'

export interface WebhookOptions {
  readonly url: string
  /** Asked for at each use, so that it may be rotated. */
  readonly secret: () => string
  readonly clock: Clock
}

/**
 * POSTs `{schema, id, at, urgent, count, title, lines}` as JSON. `X-Countersign-Signature: sha256=<hex>` is the
 * HMAC-SHA256, under the secret, of the timestamp header (seconds), a dot, and the exact body.
 */
export function webhookNotifier({ url, secret, clock }: WebhookOptions): Notifier {
  return {
    name: 'webhook',
    isOutside: true,
    isOptional: false,
    async notify({ id, at, isUrgent, count, title, lines }, signal) {
      const body = JSON.stringify({ schema: 1, id, at, urgent: isUrgent, count, title, lines })
      const timestamp = String(Math.floor(clock.now() / 1000))
      const mac = createHmac('sha256', secret()).update(`${timestamp}.${body}`).digest('hex')
      const headers = { 'x-countersign-timestamp': timestamp, 'x-countersign-signature': `sha256=${mac}` }
      await post('calling the webhook', new URL(url), body, headers, signal)
    },
  }
}
