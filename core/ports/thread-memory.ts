import type { TaskId } from '../ids.ts'

export interface KnownTask {
  readonly taskId: TaskId
  readonly fileName: string
}

/**
 * Which messages make one thread, and which tasks there were of it. Only a memory: what matters stands in the task files,
 * from which it is made anew. On disk when a call returns.
 */
export interface ThreadMemory extends Disposable {
  /** The thread of the first of these Message-IDs that is known. */
  threadOf(account: string, messageIds: readonly string[]): string | undefined
  /** Newest first, at most 20. */
  tasksOf(account: string, thread: string): KnownTask[]
  /** A Message-ID stays with the thread that it was first seen in: nobody draws two threads together by naming both. */
  remember(account: string, thread: string, messageIds: readonly string[], task: KnownTask, at: number): void
  /** Whether the tasks that stood in the vault when this memory was made are in it. */
  isComplete(): boolean
  setComplete(): void
}
