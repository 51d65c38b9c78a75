import { createHash } from 'node:crypto'
import type { Clock } from '#core/ports/clock.ts'
import type { MailHandlers, ReportReader } from '#core/ports/mail.ts'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import type { Log } from '#runtime/logger.ts'
import type { BounceBox } from './bounces.ts'

const FIRST_LOOK_MS = 3 * 24 * 60 * 60 * 1000

export interface WatchBouncesDeps {
  readonly bounces: Pick<BounceBox, 'add'>
  /** How far the mailbox was read, and which reports are told. */
  readonly seen: SeenMail
  readonly read: ReportReader
  readonly clock: Clock
  readonly log: Log
  /** Under which the position is remembered: account and folder. */
  readonly mailbox: string
  readonly onCredential?: NonNullable<MailHandlers['onCredential']>
  /** A report waits in the box. */
  wake(): void
}

/** Takes reports of failed deliveries out of the mailbox; each is told once, however often the mailbox shows it. */
export function watchBounces(deps: WatchBouncesDeps): MailHandlers {
  const { seen, clock, mailbox, log } = deps
  return {
    startingPoint(epoch) {
      const after = seen.highWater(mailbox, epoch)
      return { ...(after !== undefined && { after }), sinceMs: clock.now() - FIRST_LOOK_MS }
    },
    async onMessage(raw) {
      const key = createHash('sha256').update(raw.source).digest('hex')
      const report = seen.has(key) ? undefined : await deps.read(raw)
      if (report) {
        const told = deps.bounces.add({ key, at: raw.receivedAt, report })
        deps.wake()
        await told
        seen.add(key, { at: clock.now() })
      }
      if (raw.position) seen.raiseHighWater(mailbox, raw.position, clock.now())
    },
    onCaughtUp: (position) => seen.raiseHighWater(mailbox, position, clock.now()),
    ...(deps.onCredential && { onCredential: deps.onCredential }),
    onState(state) {
      if (state.kind === 'disconnected')
        log.warn({ err: state.error, retryInMs: state.retryInMs }, 'mail that comes back is not noticed for now')
    },
  }
}
