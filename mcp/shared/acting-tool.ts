import type { KeyObject } from 'node:crypto'
import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type Action, actionDigest } from '#core/action.ts'
import { type Receipt, receiptSchema, verifyReceipt } from '#core/countersignature.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { ConsumeVerdict } from '#core/ports/journal.ts'
import { type RefusalCode, type Report, reportOutput } from '#core/report.ts'
import { toolFailure, toolResult } from './tool-result.ts'

/** What every tool that acts asks of the machine it acts on. */
export interface ActingDeps {
  /** The public half of this machine's countersigning key. */
  readonly publicKey: KeyObject
  readonly clock: Clock
  /** Spends the receipt's one use, durably. Nothing is done unless it says `consumed`. */
  consume(receipt: Receipt, now: number): ConsumeVerdict
  /** Whether this process is still the newest executor; asked at the last moment before the act. */
  isNewest(): boolean
}

export interface ActingTool<A extends Action> {
  readonly name: string
  readonly title: string
  readonly description: string
  /** Of the whole action. */
  readonly schema: z.ZodType<A>
  /** Makes ready what will be done for this use, which is spent already. */
  prepare(action: A, use: { readonly key: string; readonly intendedAt: number }): Promise<() => Promise<Report>>
}

/** Registers a tool that acts: it demands a countersignature over exactly its own arguments, and uses it up first. */
export function registerActingTool<A extends Action>(server: McpServer, tool: ActingTool<A>, deps: ActingDeps): void {
  server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: `${tool.description} Works only with the countersignature (receipt) that the executor of this machine made for exactly this action, once.`,
      inputSchema: z.strictObject({ action: tool.schema, receipt: receiptSchema }),
      outputSchema: reportOutput,
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    },
    async ({ action, receipt }) => {
      try {
        const report = await actCountersigned(tool, action as A, receipt, deps)
        return toolResult(report, report.outcome === 'refused')
      } catch (error) {
        return toolFailure(error)
      }
    },
  )
}

async function actCountersigned<A extends Action>(
  tool: ActingTool<A>,
  action: A,
  receipt: Receipt,
  deps: ActingDeps,
): Promise<Report> {
  const now = deps.clock.now()
  const { publicKey } = deps
  const digest = actionDigest(action)
  const verdict = verifyReceipt(receipt, { publicKey, task: receipt.task, tool: action.tool, digest, now })
  if (!verdict.ok) return refused('ERR_COUNTERSIGNATURE_INVALID', verdict.rule)
  const use = deps.consume(verdict.receipt, now)
  if (use.kind === 'refused') return refused('ERR_COUNTERSIGNATURE_INVALID', `receipt-${use.rule}`)
  const act = await tool.prepare(action, use).catch(() => undefined)
  if (!act) return refused('ERR_MAIL_REFUSED', 'it could not be composed')
  if (!deps.isNewest()) return refused('ERR_FENCED', 'a newer executor has taken over')
  return act()
}

/** Definite: nothing was done. */
export function refused(code: RefusalCode, reason: string): Report {
  return { outcome: 'refused', code, reason }
}
