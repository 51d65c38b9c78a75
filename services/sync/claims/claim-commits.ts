import type { PlannedChange } from '../merge/plan-merge.ts'

/** One commit to be made, with its trailers. */
export interface PlannedCommit {
  readonly message: string
  readonly trailers: Readonly<Record<string, string>>
  readonly changes: readonly PlannedChange[]
}

export function claimCommit(
  taskIds: readonly string[],
  agent: string,
  changes: readonly PlannedChange[],
): PlannedCommit {
  return { message: `Claim ${tasks(taskIds)} for ${agent}`, trailers: { Claim: taskIds.join(' ') }, changes }
}

export function giveBackCommit(
  taskIds: readonly string[],
  agent: string,
  changes: readonly PlannedChange[],
): PlannedCommit {
  return { message: `Give back ${tasks(taskIds)} by ${agent}`, trailers: { 'Give-Back': taskIds.join(' ') }, changes }
}

function tasks({ length }: readonly string[]): string {
  return `${length} ${length === 1 ? 'task' : 'tasks'}`
}
