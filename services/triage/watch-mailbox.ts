import type { MailHandlers, SourceState } from '#core/ports/mail.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { type TriageDeps, triageMessage } from './triage-message.ts'

const DAY_MS = 24 * 60 * 60 * 1000

export interface WatchDeps extends TriageDeps {
  /** The mailbox's name for people, logs and metrics. */
  readonly name: string
  /** Under which the position is remembered: account and folder. */
  readonly mailbox: string
  readonly sinceDays: number
  readonly log: Log
  readonly metrics: Pick<Metrics, 'count' | 'set'>
  /** Called at every sign of progress: a look, a message, a retry. */
  readonly beat: () => void
  /** Runs one piece of work after the other, over all mailboxes: what they write, they read first. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
  readonly onCredential: NonNullable<MailHandlers['onCredential']>
}

/** Triage as the handlers of a mail source, and what `/readyz` tells about the mailbox. */
export function watchMailbox(deps: WatchDeps): MailHandlers & { readiness(): true | string } {
  const { name, mailbox, seen, clock, metrics, log } = deps
  let state: SourceState | undefined
  metrics.set('countersign_mailbox_watched', 0, { mailbox: name })
  return {
    /** A mailbox made anew (another epoch) is read from the last look on; what was dealt with is recognised. */
    startingPoint(epoch) {
      const after = seen.highWater(mailbox, epoch)
      const firstLook = clock.now() - deps.sinceDays * DAY_MS
      const sinceMs = Math.min(firstLook, seen.lastActivity(mailbox) ?? firstLook)
      return { ...(after !== undefined && { after }), sinceMs }
    },
    async onMessage(raw) {
      const outcome = await deps
        .inTurn(() => {
          deps.beat()
          return triageMessage(raw, deps)
        })
        .catch((error: unknown) => {
          metrics.count('countersign_mails_total', { outcome: 'failed' })
          throw error
        })
      if (raw.position) seen.raiseHighWater(mailbox, raw.position, clock.now())
      metrics.count('countersign_mails_total', { outcome: outcome.kind })
      deps.beat()
      if (outcome.kind === 'task') {
        metrics.count('countersign_tasks_total', { outcome: 'created' })
        log.info({ name, task: outcome.taskId, path: outcome.fileName }, 'a mail became a task')
      } else if (outcome.kind === 'joined') {
        log.info({ name, task: outcome.taskId, path: outcome.fileName }, 'a mail joined its thread')
      } else if (outcome.kind === 'skipped') {
        log.info({ name, reason: outcome.reason }, 'a mail was skipped')
      }
    },
    onCaughtUp(position) {
      seen.raiseHighWater(mailbox, position, clock.now())
      deps.beat()
    },
    onState(next) {
      state = next
      deps.beat()
      metrics.set('countersign_mailbox_watched', next.kind === 'connected' ? 1 : 0, { mailbox: name })
      if (next.kind === 'connected') return log.info({ name: mailbox }, 'watching the mailbox')
      log.warn({ err: next.error, name, retryInMs: next.retryInMs }, `mailbox not watched: ${next.error.message}`)
    },
    onCredential: deps.onCredential,
    readiness() {
      if (state?.kind === 'connected') return true
      return state ? state.error.message : 'not connected yet'
    },
  }
}
