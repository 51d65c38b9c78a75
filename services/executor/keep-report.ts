import type { ExecutorReport } from '#core/executor-report.ts'
import type { Log } from '#runtime/logger.ts'

/** Keeps the newest report by `write`, when it says something else than the last one. A disk that refuses is only logged. */
export function reportKeeper(
  write: (text: string) => Promise<void>,
  log: Pick<Log, 'warn'>,
): (report: ExecutorReport) => Promise<void> {
  let last: string | undefined
  return async (report) => {
    const text = `${JSON.stringify(report, null, 2)}\n`
    if (text === last) return
    try {
      await write(text)
      last = text
    } catch (error) {
      log.warn({ err: error }, 'the report for countersign status could not be written')
    }
  }
}
