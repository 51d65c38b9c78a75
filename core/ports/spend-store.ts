import type { TaskId } from '../ids.ts'
import type { NanoUsd, TokenUsage } from '../spend.ts'
import type { ModelPurpose, ModelSize } from './model.ts'

export interface Debit {
  /** Of `spendDay`. */
  readonly day: string
  /** ms. */
  readonly at: number
  readonly taskId: TaskId | undefined
  readonly purpose: ModelPurpose
  readonly size: ModelSize
  readonly model: string
  /** The worst case. */
  readonly amount: NanoUsd
}

export interface Spent extends TokenUsage {
  readonly cost: NanoUsd
  readonly calls: number
}

/** What models cost, on disk before they are asked. Shared by all processes of a zone. */
export interface SpendStore extends Disposable {
  /**
   * Takes the amount from the day's cap, in one step for all processes; undefined, and nothing taken, when the day's sum
   * would go over it. What costs nothing always fits. It stays taken until `settle` says better: a crash leaves it.
   */
  debit(debit: Debit, cap: NanoUsd): number | undefined
  /** What the call cost in truth. `usage`: undefined when the provider did not count. */
  settle(id: number, cost: NanoUsd, usage: TokenUsage | undefined): void
  ofDay(day: string): Spent
  ofTask(taskId: TaskId): Spent
}
