import type { TokenUsage } from '../spend.ts'

/** One request to one model. */
export interface ModelCall {
  readonly instructions: string
  readonly prompt: string
  readonly formName: string
  readonly jsonSchema: Readonly<Record<string, unknown>>
  readonly maxOutputTokens: number
  readonly timeoutMs: number
}

/**
 * busy: too many requests, or overloaded. down: no whole answer came. timeout: it took too long. denied: the key, the
 * account or the address is wrong. unknown-model: the provider has no model of that name. refused: this one request is
 * nothing it takes.
 */
export type CallFault = 'busy' | 'down' | 'timeout' | 'denied' | 'unknown-model' | 'refused'

export type CallOutcome =
  | { readonly kind: 'text'; readonly text: string; readonly usage: TokenUsage | undefined }
  /** It answered what is no answer. `problem`: rules, never the model's words. `isFinal`: asking again would not help. */
  | {
      readonly kind: 'unusable'
      readonly problem: string
      readonly isFinal: boolean
      readonly usage: TokenUsage | undefined
    }
  | {
      readonly kind: 'failed'
      readonly fault: CallFault
      /** What was tried on what, for the person; never the provider's words. */
      readonly say: string
      readonly retryAfterMs?: number
      /** Whether the provider may have counted tokens all the same. */
      readonly mayCost: boolean
    }

/** Throws only what `signal` was aborted with. */
export type CallModel = (call: ModelCall, signal: AbortSignal | undefined) => Promise<CallOutcome>
