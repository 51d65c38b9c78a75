import type { TaskId } from '#core/ids.ts'

/**
 * Which tasks are being worked on right now. The passes over the vault and the loop of each channel run side by side;
 * what one of them has in hand, the others leave alone until the next look.
 */
export interface InHand {
  /** Runs `step` while nobody else has this task in hand; `undefined` without running it when somebody has. */
  take<T>(taskId: TaskId, step: () => Promise<T>): Promise<T | undefined>
}

/** `onFree`: a task that somebody was turned away from is free again. */
export function inHand(onFree: () => void): InHand {
  const held = new Map<TaskId, { isWanted: boolean }>()
  return {
    async take(taskId, step) {
      const other = held.get(taskId)
      if (other) {
        other.isWanted = true
        return undefined
      }
      const mine = { isWanted: false }
      held.set(taskId, mine)
      try {
        return await step()
      } finally {
        held.delete(taskId)
        if (mine.isWanted) onFree()
      }
    },
  }
}
