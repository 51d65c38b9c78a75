import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { OdooCalls } from '../calls.ts'
import { search } from '../invoices.ts'

const files = z.array(z.looseObject({ id: z.int(), datas: z.union([z.string(), z.literal(false)]) }))
const wizards = z.array(z.looseObject({ id: z.int(), sending_methods: z.unknown() }))
/** The first version whose form makes a document without sending it. */
const FIRST_WITH_FORM = 18
const MAX_DOCUMENT_CHARS = 7 * 1024 * 1024
const FORM = 'account.move.send.wizard'

/**
 * The PDF of a posted invoice: what the server keeps of it, else what it makes. Undefined where it can make none (it needs
 * wkhtmltopdf for that). Throws ERR_ODOO_*.
 */
export async function invoiceDocument(calls: OdooCalls, id: number): Promise<Uint8Array | undefined> {
  const kept = await keptDocument(calls, id)
  if (kept || (await calls.version()) < FIRST_WITH_FORM) return kept
  await make(calls, id)
  return keptDocument(calls, id)
}

async function keptDocument(calls: OdooCalls, id: number): Promise<Uint8Array | undefined> {
  const domain = [
    ['res_model', '=', 'account.move'],
    ['res_id', '=', id],
    ['mimetype', '=', 'application/pdf'],
    // Named, so that what belongs to a field of the invoice is found as well.
    ['res_field', 'in', [false, 'invoice_pdf_report_file']],
  ] as const
  const [file] = await search(calls, files, 'ir.attachment', domain, ['datas'], 1, 'id desc')
  if (!file || file.datas === false || file.datas.length > MAX_DOCUMENT_CHARS) return undefined
  const bytes = Buffer.from(file.datas, 'base64')
  return bytes.subarray(0, 5).toString('latin1') === '%PDF-' ? bytes : undefined
}

/** Has the server make it, and surely send it to nobody: `manual` is the only way that is chosen, and it is read back first. */
async function make(calls: OdooCalls, id: number): Promise<void> {
  const values = {
    move_id: id,
    sending_method_checkboxes: { manual: { checked: true } },
    extra_edi_checkboxes: {},
  }
  try {
    const made = await calls.write(FORM, 'create', { args: { vals_list: [values] } })
    const [form] = made.kind === 'done' ? z.array(z.int()).catch([]).parse(made.value) : []
    if (form === undefined) return
    const [read] = await search(calls, wizards, FORM, [['id', '=', form]], ['sending_methods'], 1)
    if (JSON.stringify(read?.sending_methods) !== '["manual"]') return
    await calls.write(FORM, 'action_send_and_print', { ids: [form] })
  } catch (error) {
    // It has no way to make one, or the key may not: no document is no failure.
    if (!(error instanceof CountersignError) || error.code === 'ERR_ODOO_UNREACHABLE') throw error
  }
}
