import { isTaskId, type TaskId } from './ids.ts'
import type { DeliveryReport } from './ports/mail.ts'
import { oneLine } from './quote.ts'

/** One use of a task, as the Message-ID of its mail names it. */
export interface NamedUse {
  readonly taskId: TaskId
  readonly generation: number
  readonly key: string
}

/** Which of our mails these ids may be: a Message-ID of ours derives from the task's id and its generation. */
export function usesNamed(ids: readonly string[], account: string): NamedUse[] {
  const domain = account.slice(account.lastIndexOf('@') + 1)
  return ids.flatMap((key) => {
    const [, taskId = '', generation, at] = /^<([0-9A-Z]{26})\.(\d{1,9})@([^<>\s@]+)>$/.exec(key) ?? []
    return isTaskId(taskId) && at === domain ? [{ taskId: taskId as TaskId, generation: Number(generation), key }] : []
  })
}

/**
 * Whom the mail did not reach and why, a line each. Anybody can send such a report, so nothing of it but an address the
 * mail went to, a number and one inert line is taken over.
 */
export function undelivered(report: DeliveryReport, recipients: readonly string[]): string[] {
  const lines = report.failed.map(({ address, status, reason }) => {
    const named = recipients.find((one) => one.toLowerCase() === address.toLowerCase())
    return `${named ?? 'another address'}: ${[status, oneLine(reason, 200)].filter(Boolean).join(' ') || 'no reason given'}`
  })
  return [...new Set(lines)].slice(0, 20)
}
