/** What a drafter is told about a mail. All of it is untrusted text. */
export interface DraftRequest {
  readonly subject: string
  readonly senderName: string
  readonly original: string
  readonly signature: string
}

/** A drafted text and what made it. `model` says honestly when no model did. */
export interface DraftResult {
  readonly text: string
  readonly by: string
  readonly model: string
  /** Decimal string, US dollars. */
  readonly costUsd: string
}

export type WriteDraft = (request: DraftRequest) => Promise<DraftResult>
