import type { Notifier } from '#core/ports/notifier.ts'
import { post } from './post.ts'

export interface NtfyOptions {
  /** `https://ntfy.sh/<topic>`; whoever knows the topic can read along. */
  readonly url: string
  /** Asked for at each use, so that it may be rotated. */
  readonly token?: (() => string) | undefined
}

const HIGH = 5
const NORMAL = 3

/**
 * Publishes to a topic of an ntfy server (docs.ntfy.sh/publish, as JSON: a header could not carry every character of a
 * title). No click address and no attachment: nothing of a notice can be followed.
 */
export function ntfyNotifier({ url, token }: NtfyOptions): Notifier {
  const address = new URL(url)
  const parts = address.pathname.split('/').filter(Boolean)
  const topic = decodeURIComponent(parts.pop() ?? '')
  const server = new URL(`/${parts.join('/')}`, address)
  return {
    name: 'ntfy',
    isOutside: true,
    isOptional: false,
    async notify({ title, lines, isUrgent }, signal) {
      const message = { topic, title, message: lines.join('\n'), priority: isUrgent ? HIGH : NORMAL, tags: ['memo'] }
      const headers = token ? { authorization: `Bearer ${token()}` } : {}
      await post('publishing to ntfy', server, JSON.stringify(message), headers, signal)
    },
  }
}
