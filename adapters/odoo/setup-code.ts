import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { SetupRecords } from './setup-records.ts'

const NAME = 'Countersign: set-up, may be removed'
/** Of a key that was made and may not have been written down. */
export const UNWRITTEN = 'Countersign (not written down)'
export const WRITTEN = 'Countersign'
export const INDEX = 'account_move_countersign_request_id'
/** Two drafts with one request id cannot be: what the database itself refuses holds for processes that know nothing of each other. */
export const INDEX_SQL = `CREATE UNIQUE INDEX ${INDEX} ON account_move (company_id, x_cloud_request_id) WHERE x_cloud_request_id IS NOT NULL`

const state = z.object({
  hasIndex: z.boolean(),
  keys: z.array(z.object({ user: z.int(), name: z.string(), until: z.string() })),
})
export type CodeState = z.output<typeof state>

/**
 * What no method of Odoo's API offers: an index, and keys for a user who cannot log in. An administrator's server action can; each is made,
 * run once and removed.
 */
export interface SetupCode {
  /** What there is for these users. Changes nothing that stays. */
  look(users: readonly number[]): Promise<CodeState>
  makeIndex(): Promise<void>
  /** A new key, until a day from now; those of this user that were never written down are removed. Shown this once. */
  makeKey(user: number, days: number): Promise<string>
  /** The key that was made was written down. Every other one that this program made for the user is removed. */
  confirmKey(user: number): Promise<void>
  /** What a run that died left behind is removed. */
  clear(): Promise<void>
}

export function setupCode(records: SetupRecords, modelId: number): SetupCode {
  const clear = async () => {
    const ids = await records.find('ir.actions.server', [['name', '=', NAME]])
    if (ids.length > 0) await records.change('ir.actions.server', 'unlink', { ids })
  }
  const run = async (code: string): Promise<unknown> => {
    const values = { name: NAME, model_id: modelId, state: 'code', code }
    const ids = await records.change('ir.actions.server', 'create', { vals_list: [values] })
    try {
      const answer = z
        .object({ infos: z.unknown() })
        .safeParse(await records.change('ir.actions.server', 'run', { ids }))
      if (answer.success) return answer.data.infos
      throw new CountersignError('ERR_ODOO_REFUSED', 'Odoo ran a server action and did not answer as it should')
    } finally {
      await records.change('ir.actions.server', 'unlink', { ids })
    }
  }
  const given = (name: string, value: number | string | readonly number[]) => `${name} = ${JSON.stringify(value)}\n`
  return {
    clear,
    async look(users) {
      const code = `${given('users', users)}${given('index', INDEX)}
env.cr.execute("SELECT count(*) FROM pg_indexes WHERE indexname = %s AND tablename = 'account_move'", [index])
has_index = env.cr.fetchone()[0] > 0
keys = env['res.users.apikeys'].sudo().search([('user_id', 'in', users)])
action = {'type': 'ir.actions.act_window_close', 'infos': {'hasIndex': has_index, 'keys': [
    {'user': key.user_id.id, 'name': key.name, 'until': str(key.expiration_date or '')} for key in keys]}}`
      return state.parse(await run(code))
    },
    async makeIndex() {
      await run(`env.cr.execute("${INDEX_SQL}")\naction = {'type': 'ir.actions.act_window_close', 'infos': True}`)
    },
    async makeKey(user, days) {
      const code = `${given('user', user)}${given('days', days)}${given('name', UNWRITTEN)}
keys = env['res.users.apikeys'].sudo()
keys.search([('user_id', '=', user), ('name', '=', name)])._remove()
until = datetime.datetime.now() + datetime.timedelta(days=days)
key = env['res.users.apikeys'].with_user(user).sudo()._generate(None, name, until)
action = {'type': 'ir.actions.act_window_close', 'infos': {'key': key}}`
      return z.object({ key: z.string().regex(/^[0-9a-f]{40}$/) }).parse(await run(code)).key
    },
    async confirmKey(user) {
      const code = `${given('user', user)}${given('unwritten', UNWRITTEN)}${given('written', WRITTEN)}
keys = env['res.users.apikeys'].sudo()
new = keys.search([('user_id', '=', user), ('name', '=', unwritten)])
if new:
    keys.search([('user_id', '=', user), ('name', '=', written)])._remove()
    new.write({'name': written})
action = {'type': 'ir.actions.act_window_close', 'infos': True}`
      await run(code)
    },
  }
}
