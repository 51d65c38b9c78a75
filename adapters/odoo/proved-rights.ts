type Args = Readonly<Record<string, unknown>>

/** What is tried, under which right that is: asked for first, and where Odoo says that the user has it, nothing is tried. */
type Try = readonly [check: string, model: string, right: string, method: string, args: Args]

/** What nobody in the cloud's group may do, on its own draft `id` and as user `uid`. */
export function rightsToTry(uid: number, id: number): readonly Try[] {
  const onDraft = { active_model: 'account.move', active_ids: [id] }
  return [
    ['register a payment', 'account.payment.register', 'create', 'create', { vals_list: [{}], context: onDraft }],
    ['create a payment', 'account.payment', 'create', 'create', { vals_list: [{ amount: 1 }] }],
    ['read payments', 'account.payment', 'read', 'search_read', { domain: [], fields: ['amount'], limit: 1 }],
    ['change or cancel a payment', 'account.payment', 'write', 'write', { ids: [1], vals: { memo: 'x' } }],
    ['reverse an invoice', 'account.move.reversal', 'create', 'create', { vals_list: [{ move_ids: [[6, 0, [id]]] }] }],
    ['read bank accounts', 'res.partner.bank', 'read', 'search_read', { domain: [], fields: ['acc_number'], limit: 1 }],
    ['create a bank account', 'res.partner.bank', 'create', 'create', { vals_list: [{ acc_number: 'X' }] }],
    [
      'read bank statements',
      'account.bank.statement.line',
      'read',
      'search_read',
      { domain: [], fields: ['amount'], limit: 1 },
    ],
    ['read users', 'res.users', 'read', 'search_read', { domain: [], fields: ['login'], limit: 1 }],
    ['give itself a group', 'res.users', 'write', 'write', { ids: [uid], vals: { group_ids: [[4, 1, 0]] } }],
    ['change rules', 'ir.rule', 'write', 'write', { ids: [1], vals: { active: true } }],
    ['change access rights', 'ir.model.access', 'write', 'write', { ids: [1], vals: { active: true } }],
    ['change the guard', 'base.automation', 'write', 'write', { ids: [1], vals: { active: true } }],
    ['run code in Odoo', 'ir.actions.server', 'create', 'create', { vals_list: [{ name: 'x' }] }],
    ['change settings', 'ir.config_parameter', 'write', 'set_param', { key: 'countersign.proof', value: '1' }],
    ['add files', 'ir.attachment', 'create', 'create', { vals_list: [{ name: 'x' }] }],
    ['send mail', 'mail.mail', 'create', 'create', { vals_list: [{ subject: 'x' }] }],
    ['send an invoice', 'account.move.send.wizard', 'create', 'create', { vals_list: [{ move_id: id }] }],
  ]
}
