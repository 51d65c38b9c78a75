import { GenericContainer, Network, Wait } from 'testcontainers'
import { odooCalls } from '#adapters/odoo/odoo-calls.ts'
import { SETUP_LIMIT_MS, setUpOdoo } from '#adapters/odoo/setup-odoo.ts'

/** For `odoo shell`: an administrator’s key and a bookkeeper’s, and some customers, a currency, a tax and a product. */
export const BEFORE_SET_UP = `
import datetime
until = datetime.datetime.now() + datetime.timedelta(days=1)
def key(user):
    return env['res.users.apikeys'].with_user(user).sudo()._generate(None, 'test', until)
clerk = env['res.users'].create({'name': 'Clerk', 'login': 'clerk'})
clerk.group_ids = [(4, env.ref('account.group_account_manager').id)]
env['res.partner'].create([
    {'name': 'Acme Ltd', 'email': 'Ana Ruiz <Ana@Acme.Example>', 'customer_rank': 1},
    {'name': 'Twin GmbH', 'customer_rank': 1}, {'name': 'Twin GmbH', 'customer_rank': 1}])
env.ref('base.EUR').active = True
env['account.tax'].create({'name': '19%', 'amount': 19, 'type_tax_use': 'sale'})
env['product.product'].create({'name': 'Workshop', 'default_code': 'W1', 'list_price': 900})
print('KEYS', key(env.ref('base.user_admin')), key(clerk))
env.cr.commit()
`

/** A real Odoo 19 with a database `demo`, of the images in docs/odoo.md, with an administrator and a bookkeeper who is none, and some customers. */
async function startOdoo() {
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
  const encoded = Buffer.from(BEFORE_SET_UP).toString('base64')
  const { output } = await odoo.exec(['bash', '-c', `echo ${encoded} | base64 -d | ${shell} || cat /tmp/shell.log`])
  const [, first = '', second = ''] = /KEYS ([0-9a-f]{40}) ([0-9a-f]{40})/.exec(output) ?? []
  if (second === '') throw new Error(`Odoo's shell made no keys: ${output.slice(-2_000)}`)
  return {
    url: `http://127.0.0.1:${odoo.getMappedPort(8069)}`,
    keys: [first, second] as const,
    async [Symbol.asyncDispose]() {
      await odoo.stop()
      await postgres.stop()
      await network.stop()
    },
  }
}

/** As it is before `countersign odoo setup`. */
export async function startBareOdoo() {
  const odoo = await startOdoo()
  const [adminKey, clerkKey] = odoo.keys
  return { ...odoo, database: 'demo', adminKey, clerkKey }
}
export type BareOdoo = Awaited<ReturnType<typeof startBareOdoo>>

/** As `countersign odoo setup --keep-audit-settings` leaves it, so that tests can set invoices back; with the keys of the two zones and the administrator's. */
export async function startRealOdoo() {
  const { adminKey, ...odoo } = await startBareOdoo()
  const keys = { admin: adminKey, cloud: '', local: '' }
  const asAdministrator = { url: odoo.url, database: odoo.database, key: () => adminKey, limitMs: SETUP_LIMIT_MS }
  await setUpOdoo(odooCalls(asAdministrator), {
    ...{ isDry: false, areKeysNew: false, isAuditLeft: true },
    async writeKey(user, key) {
      keys[user] = key
    },
  })
  const logins = { admin: 'admin', cloud: 'countersign-cloud', local: 'countersign-local' }
  return { ...odoo, keys, logins }
}
export type RealOdoo = Awaited<ReturnType<typeof startRealOdoo>>
