import type { Action, ChannelName } from '../action.ts'
import type { Receipt } from '../countersignature.ts'
import type { TaskId } from '../ids.ts'
import type { OutcomeFacts } from '../report.ts'
import type { TaskFile } from '../task-file.ts'
import type { Intent } from './journal.ts'

/** What a look at the world says right before the act. */
export type World =
  | { readonly kind: 'clear' }
  /** The act would be a mistake now: the task goes back before the person. */
  | { readonly kind: 'stale'; readonly rule: string; readonly say: string }
  /** It cannot be seen now: the task waits. */
  | { readonly kind: 'cannot-tell'; readonly say: string }

/** What is about to be done. `isOld`: the task is older than what the journal is known to know, which may have forgotten that it was done. */
export interface Prospect {
  readonly task: TaskFile
  readonly action: Action
  readonly key: string
  readonly isOld: boolean
}

/**
 * A way to act outside: mail, one day's post, a payment. It knows its provider's words; when to act, and never twice, is
 * the executor's business. Every `say` is a sentence for the person.
 */
export interface Channel {
  readonly name: ChannelName
  /** Everything that is wrong with it now, in words for the person; empty when it works. */
  problems(): string[]
  /** True when it may act now. While a back-off lasts, its provider is left alone. */
  isReady(): Promise<boolean>
  /**
   * By what the provider can be asked for this one use afterwards, journaled before the act: the same for the same task
   * and generation.
   */
  keyOf(use: { readonly taskId: TaskId; readonly generation: number }, action: Action): string
  lookAtTheWorld(prospect: Prospect): Promise<World>
  /** Calls the tool that acts: its structured answer (`core/report.ts`). Rejects when the call failed: then nothing is known. */
  act(action: Action, receipt: Receipt): Promise<unknown>
  /** Asks the provider whether it was done. Throws a retryable CountersignError while it cannot be asked. */
  lookUp(intent: Intent): Promise<
    | { readonly kind: 'done'; readonly answer: string; readonly link?: string; readonly facts?: OutcomeFacts }
    /** Made ready, and waiting for the person. */
    | { readonly kind: 'handed-over'; readonly say: string }
    | { readonly kind: 'not-found' }
  >
  /** What is left to do after it was done (the copy in Sent). Done again after a crash. Throws as `lookUp`. */
  settle(intent: Intent): Promise<void>
  /** Where the person looks to find out whether it was done. */
  sayWhereToLook(intent: Intent): string
}
