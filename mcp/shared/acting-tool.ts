import type { KeyObject } from 'node:crypto'
import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type Action, actionDigest } from '#core/action.ts'
import { type Receipt, type ReceiptRule, receiptSchema, sayReceiptRule, verifyReceipt } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { ConsumeVerdict } from '#core/ports/journal.ts'
import { type RefusalCode, type Report, reportOutput } from '#core/report.ts'
import { toolFailure, toolResult } from './tool-result.ts'

/** What every tool that acts asks of the machine it acts on. */
export interface ActingDeps {
  /** The public half of this machine's countersigning key; a function where it may be replaced meanwhile. */
  readonly publicKey: KeyObject | (() => Promise<KeyObject>)
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
  /** The code of a refusal where it could not be made ready. */
  readonly whenUnprepared?: RefusalCode
  /** Makes ready what will be done for this use, which is spent already. */
  prepare(
    action: A,
    use: { readonly key: string; readonly intendedAt: number; readonly receipt: Receipt },
  ): Promise<() => Promise<Report>>
}

/** Judged by `verifyReceipt` alone, so that every call that lacks a good one is told the same rule. */
const receipt = z
  .unknown()
  .optional()
  .describe('Needed: the countersignature. The executor of this machine has it, nobody else can make one.')

/** Registers a tool that acts: it demands a countersignature over exactly its own arguments, and uses it up first. */
export function registerActingTool<A extends Action>(server: McpServer, tool: ActingTool<A>, deps: ActingDeps): void {
  server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: `${tool.description} Works only with the countersignature (receipt) that the executor of this machine made for exactly this action, once.`,
      inputSchema: z.strictObject({ action: tool.schema, receipt }),
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
  candidate: unknown,
  deps: ActingDeps,
): Promise<Report> {
  const now = deps.clock.now()
  const publicKey = typeof deps.publicKey === 'function' ? await deps.publicKey() : deps.publicKey
  const digest = actionDigest(action)
  const task = receiptSchema.safeParse(candidate).data?.task ?? ''
  const verdict = verifyReceipt(candidate, { publicKey, task, tool: action.tool, digest, now })
  if (!verdict.ok) return refusedBy(verdict.rule)
  const use = deps.consume(verdict.receipt, now)
  if (use.kind === 'refused') return refusedBy(`receipt-${use.rule}`)
  const act = await tool.prepare(action, { ...use, receipt: verdict.receipt }).catch(whyNot)
  if (typeof act === 'string') return refused(tool.whenUnprepared ?? 'ERR_MAIL_REFUSED', act)
  if (!deps.isNewest()) return refused('ERR_FENCED', 'a newer executor has taken over')
  return act()
}

/** In words; what is no error of ours may hold anything. */
function whyNot(error: unknown): string {
  return error instanceof CountersignError ? error.message : 'it could not be composed'
}

function refusedBy(rule: ReceiptRule): Report {
  return { ...refused('ERR_COUNTERSIGNATURE_INVALID', rule), say: sayReceiptRule(rule) }
}

/** Definite: nothing was done. */
export function refused(code: RefusalCode, reason: string): Extract<Report, { outcome: 'refused' }> {
  return { outcome: 'refused', code, reason }
}
