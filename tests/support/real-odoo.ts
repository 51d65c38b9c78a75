import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GenericContainer, Network, Wait } from 'testcontainers'

/** A draft-only user as docs/odoo.md describes it, and an administrator; prints their keys. `env` is Odoo's shell. */
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
env.ref('base.EUR').active = True
env['account.tax'].create({'name': '19%', 'amount': 19, 'type_tax_use': 'sale'})
env['product.product'].create({'name': 'Workshop', 'default_code': 'W1', 'list_price': 900})
print('KEYS', key(env.ref('base.user_admin')), key(cloud))
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
  const [, admin = '', cloud = ''] = /KEYS ([0-9a-f]{40}) ([0-9a-f]{40})/.exec(output) ?? []
  if (cloud === '') throw new Error(`Odoo's shell made no keys: ${output.slice(-2_000)}`)
  return {
    url: `http://127.0.0.1:${odoo.getMappedPort(8069)}`,
    keys: { admin, cloud },
    async [Symbol.asyncDispose]() {
      await odoo.stop()
      await postgres.stop()
      await network.stop()
    },
  }
}
export type RealOdoo = Awaited<ReturnType<typeof startRealOdoo>>

/** A way to a server that does what is asked of it, and loses the answer to the next request for `method`. */
export async function losingProxy(target: string, method: string) {
  let losing = true
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { authorization = '', 'x-odoo-database': database = '' } = request.headers
    const answer = await fetch(new URL(request.url ?? '/', target), {
      method: request.method ?? 'GET',
      headers: { authorization, 'x-odoo-database': String(database), 'content-type': 'application/json' },
      body: request.method === 'POST' ? Buffer.concat(chunks) : null,
    })
    const text = await answer.text()
    if (losing && request.url?.endsWith(`/${method}`)) {
      losing = false
      response.destroy()
    } else response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
