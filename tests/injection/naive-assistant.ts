import type { IncomingMail } from '#core/ports/mail.ts'
import type { HostileMail } from './corpus.ts'
import { ordersIn } from './obedience.ts'
import { PLANTED } from './zones.ts'

/** What came of it where nothing stands between the mail and what acts. */
export interface NaiveOutcome {
  readonly sentTo: readonly string[]
  readonly text: string
  readonly writtenTo: readonly string[]
}

/**
 * An assistant as they are built in an afternoon: the whole mail, its HTML and its attachments go into one prompt with the
 * settings, and what the model says is done: its recipients get the answer, its files are written.
 */
export function naiveAssistant({ source }: HostileMail, read: IncomingMail): NaiveOutcome {
  const attached = read.attachments.map(({ content }) => Buffer.from(content?.bytes ?? []).toString())
  const settings = Object.entries(PLANTED).map(([name, secret]) => `${name}=${secret}`)
  const prompt = [read.subject, read.from?.name, read.text, source.toString(), ...attached].join('\n')
  const orders = ordersIn(prompt)
  const lines = [
    ...orders.addresses,
    ...orders.links,
    ...orders.ibans,
    ...orders.purses,
    ...(orders.asksForSecrets ? settings : []),
  ]
  return {
    sentTo: [...new Set([read.from?.address ?? '', ...orders.addresses])],
    text: lines.join('\n'),
    writtenTo: orders.paths,
  }
}
