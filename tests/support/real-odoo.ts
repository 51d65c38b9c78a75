import { GenericContainer, Network, Wait } from 'testcontainers'

/** A draft-only user as docs/odoo.md describes it, an administrator and one who posts and records; prints their keys. `env` is Odoo's shell. */
const USERS = `
import datetime
until = datetime.datetime.now() + datetime.timedelta(days=1)
def key(user):
    return env['res.users.apikeys'].with_user(user)._generate(None, 'test', until)
group = env['res.groups'].create({'name': 'Cloud drafts', 'api_key_duration': 90})
def access(model, perms):
    read, write, create, unlink = (p == '1' for p in perms)
    env['ir.model.access'].create({'name': 'cloud ' + model, 'model_id': env['ir.model']._get_id(model), 'group_id': group.id,
        'perm_read': read, 'perm_write': write, 'perm_create': create, 'perm_unlink': unlink})
for model in ('account.move', 'account.move.line'): access(model, '1111')
access('res.partner', '1110')
for model in ('account.journal', 'account.account', 'account.account.tag', 'account.tax', 'account.tax.group',
              'account.tax.repartition.line', 'account.payment.term', 'account.payment.term.line', 'account.partial.reconcile',
              'product.product', 'product.template', 'res.company', 'res.currency', 'res.partner.category', 'snailmail.letter'):
    if model in env: access(model, '1000')
def rule(model, domain, perms):
    read, write, create, unlink = (p == '1' for p in perms)
    env['ir.rule'].create({'name': 'cloud ' + model, 'model_id': env['ir.model']._get_id(model), 'groups': [(6, 0, [group.id])],
        'domain_force': domain, 'perm_read': read, 'perm_write': write, 'perm_create': create, 'perm_unlink': unlink})
rule('account.move', "[('move_type','=','out_invoice')]", '1000')
rule('account.move', "[('move_type','=','out_invoice'),('state','=','draft'),('create_uid','=',user.id)]", '0111')
rule('account.move.line', "[('move_id.move_type','=','out_invoice')]", '1000')
rule('account.move.line', "[('move_id.state','=','draft'),('move_id.create_uid','=',user.id)]", '0111')
rule('account.journal', "[('type','=','sale')]", '1000')
rule('res.partner', "['|',('customer_rank','>',0),'|',('create_uid','=',user.id),('id','in',[user.partner_id.id,user.company_id.partner_id.id])]", '1000')
cloud = env['res.users'].with_context(no_reset_password=True).create({'name': 'Cloud', 'login': 'cloud', 'group_ids': [(6, 0, [group.id])]})
env['res.partner'].create([
    {'name': 'Acme Ltd', 'email': 'Ana Ruiz <Ana@Acme.Example>', 'customer_rank': 1},
    {'name': 'Twin GmbH', 'customer_rank': 1}, {'name': 'Twin GmbH', 'customer_rank': 1}])
def internal(login, groups):
    return env['res.users'].with_context(no_reset_password=True).create({'name': login, 'login': login,
        'group_ids': [(6, 0, [env.ref('base.group_user').id] + [env.ref(g).id for g in groups])]})
local = internal('local', ['account.group_account_invoice'])
env.ref('base.EUR').active = True
env['account.tax'].create({'name': '19%', 'amount': 19, 'type_tax_use': 'sale'})
env['product.product'].create({'name': 'Workshop', 'default_code': 'W1', 'list_price': 900})
print('KEYS', key(env.ref('base.user_admin')), key(cloud), key(local))
env.cr.commit()
`

/** A real Odoo 19 with a database `demo`, of the images in docs/odoo.md. */
export async function startRealOdoo() {
  const network = await new Network().start()
  const postgres = await new GenericContainer('postgres:17')
    .withNetwork(network)
    .withNetworkAliases('db')
    .withEnvironment({ POSTGRES_USER: 'odoo', POSTGRES_PASSWORD: 'odoo', POSTGRES_DB: 'postgres' })
    .start()
  const odoo = await new GenericContainer('countersign/odoo-demo:19')
    .withNetwork(network)
    .withEnvironment({ HOST: 'db', USER: 'odoo', PASSWORD: 'odoo' })
    .withExposedPorts(8069)
    .withWaitStrategy(Wait.forHttp('/web/version', 8069).forStatusCode(200))
    .withStartupTimeout(120_000)
    .start()
  const shell = 'odoo shell -d demo --no-http --db_host db --db_user odoo --db_password odoo 2>/tmp/shell.log'
  const script = Buffer.from(USERS).toString('base64')
  const { output } = await odoo.exec(['bash', '-c', `echo ${script} | base64 -d | ${shell} || cat /tmp/shell.log`])
  const [, admin = '', cloud = '', local = ''] = /KEYS ([0-9a-f]{40}) ([0-9a-f]{40}) ([0-9a-f]{40})/.exec(output) ?? []
  if (cloud === '') throw new Error(`Odoo's shell made no keys: ${output.slice(-2_000)}`)
  return {
    url: `http://127.0.0.1:${odoo.getMappedPort(8069)}`,
    keys: { admin, cloud, local },
    /** Of the users of the keys. */
    logins: { admin: 'admin', cloud: 'cloud', local: 'local' },
    async [Symbol.asyncDispose]() {
      await odoo.stop()
      await postgres.stop()
      await network.stop()
    },
  }
}
export type RealOdoo = Awaited<ReturnType<typeof startRealOdoo>>
