import { GUARD_SAYS } from './drafts-only.ts'

/** The group whose members may only leave drafts, as `has_group` knows it. */
export const CLOUD_GROUP = { module: 'countersign', name: 'group_cloud_draft' } as const

/**
 * What the cloud's user may never change, in Python, as Odoo's automation rules run it after each create and each write, inside their
 * transaction: what it raises undoes them. Access rules cannot do this: they look at a record as it was before it is written.
 * Whatever is no part of a draft must be empty, and what Odoo works out itself must be what it works out. Nothing is set here:
 * that would run the rule again.
 */
const MOVE = `
    move = records.sudo()
    if move.state != 'draft' or move.posted_before: found.append('state')
    if move.move_type != 'out_invoice': found.append('move_type')
    if move.auto_post != 'no' or move.auto_post_until: found.append('auto_post')
    if move.create_uid != env.user: found.append('create_uid')
    if move.name and move.name != '/': found.append('name')
    for name in ('sequence_prefix', 'sequence_number', 'made_sequence_gap', 'payment_reference'):
        if move[name]: found.append(name)
    # What is to be paid is what the lines say, and nothing of it is paid.
    signed = [line for line in move.line_ids if line.display_type in ('product', 'tax', 'rounding')]
    terms = [line for line in move.line_ids if line.display_type == 'payment_term']
    near = lambda one, other: move.currency_id.is_zero(one - other)
    if not near(move.amount_total, -sum(line.amount_currency for line in signed)): found.append('amount_total')
    if not near(move.amount_total, move.amount_untaxed + move.amount_tax): found.append('amount_untaxed')
    if not near(move.amount_residual, sum(line.amount_residual_currency for line in terms)): found.append('amount_residual')
    # While a draft is built, before Odoo added what is to be paid, it counts as paid for a moment.
    if move.payment_state != 'not_paid' and not near(move.amount_residual, 0): found.append('payment_state')
    if 'expected_currency_rate' in move._fields and abs(move.invoice_currency_rate - move.expected_currency_rate) > 1e-9 * abs(move.expected_currency_rate):
        found.append('invoice_currency_rate')
    if move.commercial_partner_id != move.partner_id.commercial_partner_id: found.append('commercial_partner_id')
    if move.partner_bank_id and move.partner_bank_id.partner_id != move.company_id.partner_id: found.append('partner_bank_id')
    if move.invoice_user_id and move.invoice_user_id not in (env.user | move.partner_id.user_id | move.commercial_partner_id.user_id):
        found.append('invoice_user_id')
    if move.message_partner_ids - env.user.partner_id - move.invoice_user_id.partner_id: found.append('message_follower_ids')
    usual = {'id', 'ref', 'state', 'move_type', 'auto_post', 'invoice_date', 'partner_id', 'invoice_origin', 'x_cloud_request_id',
             'line_ids', 'invoice_line_ids', 'journal_line_ids', 'message_ids', 'website_message_ids', 'audit_trail_message_ids',
             'message_follower_ids', 'is_manually_modified', 'create_uid', 'create_date', 'write_uid', 'write_date'}
    other = [name for name in move._fields if move._fields[name].store and not move._fields[name].compute
             and name not in usual and move[name]]
    if other:
        defaults = env(su=True, context={})['account.move'].default_get(other)
        for name in other:
            value = move[name].id if move._fields[name].type == 'many2one' else move[name]
            if value != defaults.get(name): found.append(name)
    if move.narration:
        fresh = env(su=True, context={})['account.move'].new({
            'move_type': 'out_invoice', 'company_id': move.company_id.id, 'partner_id': move.partner_id.id})
        if move.narration != fresh.narration: found.append('narration')`

const LINE = `
    line = records.sudo()
    move = line.move_id
    if move.create_uid != env.user or move.state != 'draft' or move.posted_before or move.move_type != 'out_invoice': found.append('move_id')
    if line.parent_state != move.state: found.append('parent_state')
    if line.journal_id != move.journal_id: found.append('journal_id')
    if line.company_id != move.company_id: found.append('company_id')
    if (line.move_name or '') != (move.name or ''): found.append('move_name')
    if line.reconciled and not line.company_currency_id.is_zero(line.balance): found.append('reconciled')
    if line.display_type == 'payment_term' and not line.currency_id.is_zero(line.amount_residual_currency - line.amount_currency):
        found.append('amount_residual_currency')
    for name in ('matching_number', 'full_reconcile_id', 'matched_debit_ids', 'matched_credit_ids', 'statement_line_id', 'payment_id',
                 'reconcile_model_id', 'analytic_line_ids', 'is_imported'):
        if line[name]: found.append(name)`

const PARTNER = `
    partner = records.sudo()
    if partner.create_uid != env.user: found.append('create_uid')
    for name in ('parent_id', 'child_ids', 'user_ids', 'bank_ids', 'ref_company_ids', 'user_id', 'image_1920', 'comment', 'signup_type'):
        if name in partner._fields and partner[name]: found.append(name)
    if partner.message_partner_ids - env.user.partner_id: found.append('message_follower_ids')`

/** One automation rule a model: what it is called in Odoo, and its code. */
export const GUARDS: readonly { readonly model: string; readonly name: string; readonly code: string }[] = [
  { model: 'account.move', name: 'Countersign: invoices of the cloud stay drafts', code: guardCode(MOVE) },
  { model: 'account.move.line', name: 'Countersign: lines of the cloud stay in drafts', code: guardCode(LINE) },
  { model: 'res.partner', name: 'Countersign: customers of the cloud are addresses', code: guardCode(PARTNER) },
]

function guardCode(body: string): string {
  return `# Made by "countersign odoo setup". Without it the cloud's user could post invoices.
if env.user.has_group('${CLOUD_GROUP.module}.${CLOUD_GROUP.name}'):
    found = []${body}
    if found:
        raise UserError('${GUARD_SAYS}' + ', '.join(found) + ' of ' + records._name)`
}
