import type { TaskId } from '../ids.ts'
import type { Domain } from '../vault-path.ts'

/** What a drafter is told about a task. `subject`, `senderName` and `original` are a stranger's; the rest is the owner's. */
export interface DraftRequest {
  readonly taskId: TaskId
  readonly domain: Domain
  readonly subject: string
  readonly senderName: string
  /** The quoted thread as it stands in the file, newest message last. */
  readonly original: string
  /** BCP 47, as triage recognised it. */
  readonly language: string | undefined
  readonly signature: string
  /** The whole of `Company_Handbook.md`. */
  readonly handbook: string
  /** What the person wants changed; empty at the first draft. */
  readonly notes: string
  /** The draft that `notes` speak of; empty at the first draft. */
  readonly previous: string
  /** What the person made of earlier drafts to the same correspondent before they approved them, the newest first. */
  readonly examples: readonly string[]
  /** What the program found out that the draft has to say, strangers' words in it fenced. */
  readonly facts?: string | undefined
  /** The original is a note of the owner's own, who wants a mail written: there is nobody to be answered. */
  readonly isOwnNote?: boolean
  /** The one place that the text may leave open, letter for letter. */
  readonly slot?: string
  /** What the answer has to ask for, as the program found it. */
  readonly missing?: readonly string[]
}

/** A drafted text and what made it. `model` says honestly when no model did. */
export interface DraftResult {
  readonly text: string
  readonly by: string
  readonly model: string
  /** Decimal string, US dollars. */
  readonly costUsd: string
  /** Added to the file's `risk`. */
  readonly flags?: readonly string[]
  /** Why it is not what it could have been, for the person: `the model did not answer; this is the template`. */
  readonly remark?: string | undefined
}

export type WriteDraft = (request: DraftRequest) => Promise<DraftResult>
