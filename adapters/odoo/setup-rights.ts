/** Read, write, create, unlink: as Odoo has them. */
export interface Perms {
  readonly perm_read: boolean
  readonly perm_write: boolean
  readonly perm_create: boolean
  readonly perm_unlink: boolean
}

/** What the cloud's group may do with each model; with all others nothing. `write` on invoices is needed even to create one. */
export const ACCESS: Readonly<Record<string, Perms>> = {
  'account.move': perms('1111'),
  'account.move.line': perms('1111'),
  'res.partner': perms('1110'),
  ...Object.fromEntries(
    [
      ...['account.journal', 'account.account', 'account.account.tag', 'account.tax', 'account.tax.group'],
      ...[
        'account.tax.repartition.line',
        'account.payment.term',
        'account.payment.term.line',
        'account.partial.reconcile',
      ],
      ...['product.product', 'product.template', 'res.company', 'res.currency', 'res.partner.category'],
      // Deleting a draft looks whether a letter was made of it.
      'snailmail.letter',
    ].map((model) => [model, perms('1000')]),
  ),
}

const OWN_DRAFT = [
  ...[
    "('move_type','=','out_invoice')",
    "('state','=','draft')",
    "('posted_before','=',False)",
    "('auto_post','=','no')",
  ],
  "('create_uid','=',user.id)",
]

/** Which records of a model: Odoo's own domains, in Python. */
export const RULES: readonly {
  readonly name: string
  readonly model: string
  readonly domain: string
  readonly perms: Perms
}[] = [
  rule('reads customer invoices', 'account.move', "[('move_type','=','out_invoice')]", '1000'),
  rule('changes its own drafts', 'account.move', `[${OWN_DRAFT.join(',')}]`, '0111'),
  rule('reads lines of customer invoices', 'account.move.line', "[('move_id.move_type','=','out_invoice')]", '1000'),
  rule('changes lines of its own drafts', 'account.move.line', `[${OWN_DRAFT.map(ofMove).join(',')}]`, '0111'),
  rule(
    'reads customers',
    'res.partner',
    "['|',('customer_rank','>',0),'|',('create_uid','=',user.id),('id','in',[user.partner_id.id,user.company_id.partner_id.id])]",
    '1000',
  ),
  rule('changes customers that it created', 'res.partner', "[('create_uid','=',user.id)]", '0110'),
  rule('reads sales journals', 'account.journal', "[('type','=','sale')]", '1000'),
  // Payments of customer invoices, no others.
  rule('reads no reconciliations', 'account.partial.reconcile', "[(0,'=',1)]", '1000'),
]

function rule(name: string, model: string, domain: string, bits: string) {
  return { name: `Countersign: the cloud ${name}`, model, domain, perms: perms(bits) }
}

function ofMove(condition: string): string {
  return condition.replace("('", "('move_id.")
}

function perms(bits: string): Perms {
  const [read, write, create, unlink] = [...bits].map((bit) => bit === '1')
  return {
    perm_read: read === true,
    perm_write: write === true,
    perm_create: create === true,
    perm_unlink: unlink === true,
  }
}
