import { CountersignError } from '#core/errors.ts'
import type { MailHandlers, SourceState } from '#core/ports/mail.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { type TriageDeps, triageMessage } from './triage-message.ts'

const DAY_MS = 24 * 60 * 60 * 1000

export interface WatchDeps extends TriageDeps {
  /** Under which the position is remembered: account and folder. */
  readonly mailbox: string
  readonly sinceDays: number
  readonly log: Log
  readonly metrics: Pick<Metrics, 'count'>
  /** Called at every sign of progress: a look, a message, a retry. */
  readonly beat: () => void
}

/** Triage as the handlers of a mail source, and what `/readyz` tells about the mailbox. */
export function watchMailbox(deps: WatchDeps): MailHandlers & { readiness(): true | string } {
  let state: SourceState | undefined
  return {
    /** A mailbox made anew (another epoch) is read from the last look on; what was dealt with is recognised. */
    startingPoint(epoch) {
      const after = deps.seen.highWater(deps.mailbox, epoch)
      const firstLook = deps.clock.now() - deps.sinceDays * DAY_MS
      const sinceMs = Math.min(firstLook, deps.seen.lastActivity(deps.mailbox) ?? firstLook)
      return { ...(after !== undefined && { after }), sinceMs }
    },
    async onMessage(raw) {
      const outcome = await triageMessage(raw, deps).catch((error: unknown) => {
        deps.metrics.count('countersign_mails_total', { outcome: 'failed' })
        throw error
      })
      if (raw.position) deps.seen.raiseHighWater(deps.mailbox, raw.position, deps.clock.now())
      deps.metrics.count('countersign_mails_total', { outcome: outcome.kind })
      deps.beat()
      if (outcome.kind === 'task') {
        deps.metrics.count('countersign_tasks_total', { outcome: 'created' })
        deps.log.info({ name: deps.mailbox, task: outcome.taskId, path: outcome.fileName }, 'a mail became a task')
      } else if (outcome.kind === 'joined') {
        deps.log.info({ name: deps.mailbox, task: outcome.taskId, path: outcome.fileName }, 'a mail joined its thread')
      } else if (outcome.kind === 'skipped') {
        deps.log.info({ name: deps.mailbox, reason: outcome.reason }, 'a mail was skipped')
      }
    },
    onCaughtUp(position) {
      deps.seen.raiseHighWater(deps.mailbox, position, deps.clock.now())
      deps.beat()
    },
    onState(next) {
      state = next
      deps.beat()
      if (next.kind === 'connected') return deps.log.info({ name: deps.mailbox }, 'watching the mailbox')
      const code = next.error instanceof CountersignError ? next.error.code : 'ERR_UNEXPECTED'
      deps.metrics.count('countersign_errors_total', { code })
      deps.log.warn({ err: next.error, retryInMs: next.retryInMs }, `mailbox not watched: ${next.error.message}`)
    },
    readiness() {
      if (state?.kind === 'connected') return true
      return state ? state.error.message : 'not connected yet'
    },
  }
}
