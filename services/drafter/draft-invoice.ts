import { chooseSections } from '#core/handbook-sections.ts'
import { shortId } from '#core/ids.ts'
import { checkedInvoice, INVOICE_ANSWER, renderInvoiceNote } from '#core/invoice-request.ts'
import { boundThread } from '#core/newest-message.ts'
import type { DraftRequest, WriteDraft } from '#core/ports/drafting.ts'
import type { AskModel } from '#core/ports/model.ts'
import type { OpenSkill } from '#core/ports/skills.ts'
import { FENCE_RULE, fenceUntrusted } from '#core/prompt-fence.ts'
import { parseUsd, renderUsd } from '#core/spend.ts'
import { fileNameOf, vaultPath } from '#core/vault-path.ts'
import { linkText } from './give-back.ts'
import type { Claimed, HandInDeps } from './hand-in.ts'

export interface InvoiceDeps extends Pick<HandInDeps, 'vault'> {
  readonly openSkill: OpenSkill
  readonly skillName: string
  readonly ask?: AskModel | undefined
  readonly signal?: AbortSignal | undefined
}

const MAX_THREAD = 24_000
const MAX_HANDBOOK = 6_000
const MAX_INVOICE_TOKENS = 3_000
const MAX_NAMED = 6

/**
 * Writes the reply to a mail that asks for an invoice, and before it what the mail says about the invoice, as a note in
 * Plans/. Only what stands in the mail or the handbook is taken over; the reply is told what is missing.
 */
export function invoiceWriter(claimed: Claimed, write: WriteDraft, deps: InvoiceDeps): WriteDraft {
  return async (request) => {
    const read = await readInvoice(claimed, request, deps)
    const reply = await write({ ...request, missing: read.missing })
    const cost = (parseUsd(read.costUsd) ?? 0n) + (parseUsd(reply.costUsd) ?? 0n)
    const remark = [read.remark, reply.remark].filter((one) => one !== undefined).join('. ')
    const flags = [...(reply.flags ?? []), ...(read.missing.length > 0 ? ['facts-missing'] : [])]
    return { ...reply, costUsd: renderUsd(cost), flags, ...(remark !== '' && { remark }) }
  }
}

interface ReadInvoice {
  readonly missing: readonly string[]
  readonly remark?: string
  readonly costUsd: string
}

async function readInvoice(claimed: Claimed, request: DraftRequest, deps: InvoiceDeps): Promise<ReadInvoice> {
  if (!deps.ask) return { missing: [], costUsd: '0' }
  const skill = deps.openSkill(deps.skillName)
  const handbook = chooseSections(request.handbook, `${request.subject}\n${request.original}`, MAX_HANDBOOK).text
  const fields = skill.files.includes('references/fields.md') ? `\n\n${skill.file('references/fields.md')}` : ''
  const reply = await deps.ask(
    {
      ...{ purpose: 'invoice', size: skill.metadata.model === 'small' ? 'small' : 'large', taskId: request.taskId },
      instructions: `${skill.instructions}${fields}\n\n${FENCE_RULE}\n\n# The owner's handbook\n\n${handbook || 'There is none.'}`,
      prompt: `Fill in the form for this mail. Leave "" where neither it nor the handbook says anything.\n\n${fenceUntrusted('mail', boundThread(request.original, MAX_THREAD).text)}`,
      ...{ form: INVOICE_ANSWER, maxOutputTokens: MAX_INVOICE_TOKENS },
    },
    deps.signal,
  )
  const { costUsd } = reply
  if (reply.kind === 'unanswered') {
    const remark =
      reply.reason === 'not-configured' ? {} : { remark: `the invoice’s data were not taken out: ${reply.say}` }
    return { missing: [], costUsd, ...remark }
  }
  const invoice = checkedInvoice(reply.value, { mail: request.original, handbook: request.handbook })
  const { id, generation, domain, title } = claimed.task.front
  const path = vaultPath(`Plans/Invoice ${shortId(id)}-${generation}.md`)
  const link = `[[Pending_Approval/${domain}/${fileNameOf(claimed.path)}|${linkText(title)}]]`
  await deps.vault.create(path, renderInvoiceNote(invoice, title, link))
  const named = invoice.missing.slice(0, MAX_NAMED).join(', ')
  const missing = named === '' ? '' : `; missing: ${named}`
  return { missing: invoice.missing, costUsd, remark: `what the mail says of the invoice: ${path}${missing}` }
}
