import { readAction } from '#core/action.ts'
import { withHistory } from '#core/claim.ts'
import { readHandbookRules } from '#core/handbook-rules.ts'
import { openNotes } from '#core/notes-to-drafter.ts'
import { readBill } from '#core/read-bill.ts'
import { section, type TaskFile, withFront, withSection } from '#core/task-file.ts'
import { messagesIn } from '#core/thread-text.ts'
import { type Claimed, type DraftOutcome, forbiddenHere, type HandInDeps, handIn } from './hand-in.ts'
import { readOwnNote } from './made-by.ts'

export interface DraftPaymentDeps extends HandInDeps {
  /** How it is to be paid, as the action names it. */
  readonly way: string
  readonly expiresAfterMs: number
}

const MAX_REMARK = 480

/**
 * Draws up one claimed payment task: what its bill says, word for word, and the owner's notes before it. Nothing is guessed:
 * what is not said, or said twice, stays empty in the action, and the card asks for it. Only the newest message is read: a
 * thread may hold the account of another bill.
 */
export async function draftPayment(claimed: Claimed, deps: DraftPaymentDeps): Promise<DraftOutcome> {
  const { task } = claimed
  const forbidden = await forbiddenHere(task, deps)
  if (forbidden) return forbidden
  const now = deps.clock.now()
  const at = new Date(now).toISOString()
  const { rules } = await ownRules(deps)
  const bill = messagesIn(section(task, 'original') ?? '').at(-1) ?? ''
  const { fields, open } = readBill(bill, openNotes(section(task, 'notes') ?? ''))
  const { payee = '', iban = '', amount = '', currency = '', ...rest } = fields
  const drafted = withFront(withNotes(task), {
    drafted: {
      ...{ by: 'local-payments', model: 'none', at, cost_usd: '0' },
      ...(open.length > 0 && { remark: `Not said clearly: ${open.join('; ')}`.slice(0, MAX_REMARK) }),
    },
    expires: new Date(now + (rules.expiry.payment ?? deps.expiresAfterMs)).toISOString(),
    outcome: undefined,
    action: { tool: 'payment.pay', way: deps.way, payee, iban, amount, currency, ...rest, ...keptOf(task) },
  })
  const ready = withHistory(drafted, 'Pending_Approval/payment', deps.agent, at)
  return handIn(
    claimed,
    { task: ready, ...(!readAction(ready).ok && { problem: 'the bill does not say all that a payment needs' }) },
    deps,
  )
}

/** What no bill says, of an action that was there before. */
function keptOf({ front }: TaskFile): { invoice?: string } {
  const invoice = front.action?.invoice
  return typeof invoice === 'string' ? { invoice } : {}
}

async function ownRules({ vault }: HandInDeps) {
  return { rules: readHandbookRules((await readOwnNote('Company_Handbook.md', vault)).text) }
}

/** Where the person writes what is missing. */
function withNotes(task: TaskFile): TaskFile {
  return section(task, 'notes') === undefined ? withSection(task, 'notes', '') : task
}
