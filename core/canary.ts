import { AGENT } from './vault-path.ts'

/** How often one is sent, ms; never while the last one is still on its way. */
export const CANARY_EVERY_MS = 3_600_000

const FORM = /^Canary of ([a-z0-9-]{1,31}), sent (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)\.\n$/

export interface Canary {
  readonly agent: string
  /** ms */
  readonly sentAt: number
}

/**
 * A note in Updates/ that means nothing to anybody: it crosses from the cloud's vault over the hub into the local one, where the
 * executor takes it away, and its going comes all the way back. That it does is what says that all of this works.
 */
export function canaryText({ agent, sentAt }: Canary): string {
  return `Canary of ${agent}, sent ${new Date(sentAt).toISOString()}.\n`
}

export function readCanary(text: string): Canary | undefined {
  const [, agent = '', at = ''] = FORM.exec(text) ?? []
  return AGENT.test(agent) && Number.isFinite(Date.parse(at)) ? { agent, sentAt: Date.parse(at) } : undefined
}
