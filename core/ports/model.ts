import type { AnswerForm } from '../answer-form.ts'
import type { TaskId } from '../ids.ts'

/** Which of the two configured models: a small one reads and sorts, a large one writes. */
export type ModelSize = 'small' | 'large'

/** What a model is asked for; the label of its metrics. */
export type ModelPurpose = 'classify' | 'reply' | 'post' | 'invoice'

export interface ModelQuestion<T> {
  readonly purpose: ModelPurpose
  /** The largest that may be asked: where it cannot be had, the small one is. */
  readonly size: ModelSize
  readonly taskId?: TaskId
  /** Ours and the owner's: the same for many questions, so that a provider may cache it. */
  readonly instructions: string
  /** Of this question. Strangers' text stands in it only between the fences of `core/prompt-fence.ts`. */
  readonly prompt: string
  readonly form: AnswerForm<T>
  readonly maxOutputTokens: number
  /** Less time than others have, with everything that is tried for it, ms. A provider that does not keep to it is too slow. */
  readonly withinMs?: number
}

export type ModelReply<T> =
  /** `model`: which one made it, as a draft names it. `costUsd`: a decimal string, of every call that was made for it. */
  | { readonly kind: 'answered'; readonly value: T; readonly model: string; readonly costUsd: string }
  /** `say`: why, in words for the person; never a stranger's words. */
  | { readonly kind: 'unanswered'; readonly reason: UnansweredReason; readonly say: string; readonly costUsd: string }

export type UnansweredReason =
  | 'not-configured'
  /** The day's spend would go over its cap. */
  | 'over-cap'
  /** Down, too slow, rate limited, or not asked because it just failed again and again. */
  | 'unreachable'
  /** It answered, twice, what is no answer. */
  | 'unusable'

/**
 * Asks a model, with everything that belongs to it: the cap is debited first, a slow or broken provider is left alone for a
 * while, an unusable answer gets one repair attempt, the large model falls back to the small one. The answer is data: no
 * tool is offered, and one that is called all the same makes the answer unusable. Throws only when `signal` aborts it.
 */
export type AskModel = <T>(question: ModelQuestion<T>, signal?: AbortSignal) => Promise<ModelReply<T>>
