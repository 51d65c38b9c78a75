import { z } from 'zod'

const reportSchema = z.object({
  schema: z.literal(1),
  /** Tasks that stand still, and why. */
  held: z.array(z.object({ path: z.string(), say: z.string() })),
  /** What is wrong with what the executor works with, one sentence each. */
  problems: z.array(z.string()),
  /** How each way of telling the person is doing; `fault`: why the last notice was not taken. */
  notifiers: z.array(z.object({ name: z.string(), isOptional: z.boolean(), fault: z.string().nullable() })),
})

/** `state/executor.json`: what only the running executor knows, for `countersign status`. */
export type ExecutorReport = z.output<typeof reportSchema>

/** A report read back from disk; undefined when it is none. */
export function parseExecutorReport(text: string): ExecutorReport | undefined {
  try {
    return reportSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
