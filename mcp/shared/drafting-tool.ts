import type { CallToolResult } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { isTaskId } from '#core/ids.ts'
import { toolFailure, toolResult } from './tool-result.ts'

/** What became of a draft that was handed in for a claimed task. */
export type HandInOutcome =
  | { readonly kind: 'drafted'; readonly path: string }
  | { readonly kind: 'lost' }
  /** It was not for this tool to draft. */
  | { readonly kind: 'left' }
  | { readonly kind: 'forbidden'; readonly rule: string }
  | { readonly kind: 'unusable'; readonly problem: string }

/** What every tool that drafts declares besides its own words and input. */
export const drafting = {
  outputSchema: z.strictObject({
    outcome: z.enum(['drafted', 'lost', 'forbidden', 'unusable']),
    path: z.string().optional(),
    reason: z.string().optional(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
}

/** The id of the task that is drafted; `of` says for clients which one is meant. */
export function claimedTaskId(of: string) {
  return z.string().refine(isTaskId, 'not a task id').describe(of)
}

/** Hands in, and answers the client with what became of it. */
export async function answerHandIn(handIn: () => Promise<HandInOutcome>): Promise<CallToolResult> {
  try {
    const outcome = await handIn()
    return toolResult(describe(outcome), outcome.kind !== 'drafted')
  } catch (error) {
    return toolFailure(error)
  }
}

function describe(outcome: HandInOutcome): z.output<typeof drafting.outputSchema> {
  switch (outcome.kind) {
    case 'drafted':
      return { outcome: 'drafted', path: outcome.path }
    case 'lost':
    case 'left':
      return { outcome: 'lost', reason: 'This zone does not hold that task (any more).' }
    case 'forbidden':
      return { outcome: 'forbidden', reason: outcome.rule }
    case 'unusable':
      return { outcome: 'unusable', reason: outcome.problem }
  }
}
