// A process of the cloud zone as its container's environment makes it: prints what each of its ways to others found.
import { gmailReaders } from '#adapters/gmail/gmail-client.ts'
import { checkModel } from '#adapters/model/check-model.ts'
import { ask } from '#adapters/odoo/http.ts'
import { odooHealth } from '#adapters/odoo/odoo-health.ts'
import { gmailServer } from '../../runtime/mail-accounts.ts'

const {
  odoo = '',
  models = [],
  gmail,
  token = '',
} = JSON.parse(process.argv[2] ?? '{}') as {
  odoo: string
  models: string[]
  gmail: string
  token: string
}

async function found(look: () => Promise<unknown>): Promise<unknown> {
  return look().catch((error: Error) => error.message)
}

const answers = {
  odoo: await found(async () => (await odooHealth({ url: odoo })).found),
  write: await found(async () => (await ask({ url: odoo }, { path: '/json/2/x/y', json: {} })).kind),
  models: await Promise.all(
    models.map((url) => found(() => checkModel({ name: 'openai', url, key: () => '' }, 'small', Date))),
  ),
  gmail: await found(async () => {
    const account = { address: 'owner@gmail.test', may: 'read', credentials: async () => token } as const
    const { users, options } = await gmailReaders({ ...account, ...gmailServer(gmail) })()
    const { data } = await users.messages.list({ userId: 'me' }, options)
    return data.messages?.length ?? 0
  }),
}
process.stdout.write(JSON.stringify(answers))
