import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { OdooCalls } from './calls.ts'
import { type FlatCalls, flatCalls } from './flat-calls.ts'
import { INDEX_SQL, type SetupCode, setupCode, WRITTEN } from './setup-code.ts'
import { CLOUD_GROUP, GUARDS } from './setup-guard.ts'
import { type SetupRecords, type SetupStep, setupRecords } from './setup-records.ts'
import { ACCESS, RULES } from './setup-rights.ts'
import { FIRST_JSON2 } from './version.ts'

/** For the transport: an installation of a module takes a while. */
export const SETUP_LIMIT_MS = 600_000
const KEY_DAYS = 365
const USERS = {
  cloud: { login: 'countersign-cloud', name: 'Countersign (cloud, drafts only)' },
  local: { login: 'countersign-local', name: 'Countersign (local, posts and records payments)' },
} as const
export type OdooUser = keyof typeof USERS

export interface SetupAsked {
  /** Looks and says what it would do; nothing stays changed. */
  readonly isDry: boolean
  /** Makes new keys although there are some. */
  readonly areKeysNew: boolean
  /** Leaves the company's and the journals' settings that keep posted invoices as they were as they are. */
  readonly isAuditLeft: boolean
  /** Where the keys end, so that they can be used. A key that cannot be written down is removed by the next run. */
  writeKey(user: OdooUser, key: string): Promise<void>
}

/**
 * Makes of an Odoo what Countersign needs of it: a user for the cloud who can draft and nothing else, with the guard, a user for the
 * local zone who can post and record payments, the unique request id, and settings that keep what was posted. What is there already is kept, what differs is
 * put right, and a run that died is completed by the next. `calls` is opened with an administrator's key. Throws ERR_ODOO_*, saying what to do.
 */
export async function setUpOdoo(calls: OdooCalls, asked: SetupAsked): Promise<SetupStep[]> {
  const version = await calls.version()
  if (version < FIRST_JSON2)
    throw new CountersignError(
      'ERR_ODOO_UNSUPPORTED',
      `this Odoo is version ${version}: the set-up, with the guard that keeps the cloud from posting, needs ${FIRST_JSON2} or later`,
    )
  const odoo = flatCalls(calls)
  const companyId = await administratedCompany(odoo)
  const records = setupRecords(odoo, asked.isDry)
  const hasAutomation = await installAutomation(odoo, records, asked.isDry)
  const models = await modelIds(odoo)
  const cloudGroup = await makeGroup(records, models)
  await makeGuards(records, models, hasAutomation)
  const users = await makeUsers(odoo, records, companyId, cloudGroup)
  await makeRequestId(records, models)
  if (!asked.isAuditLeft) await keepPosted(odoo, records, companyId)
  await makeIndexAndKeys(records, setupCode(records, modelOf(models, 'res.users')), users, asked)
  return records.steps
}

const ids = z.array(z.looseObject({ id: z.int().positive() }))

/** The company of the administrator whose key this is. */
async function administratedCompany(odoo: FlatCalls): Promise<number> {
  const uid = await odoo.userId()
  if ((await odoo.read('res.users', 'has_group', { ids: [uid], group_ext_id: 'base.group_system' })) !== true)
    throw new CountersignError(
      'ERR_ODOO_AUTH',
      'the key’s user is no administrator of Odoo (Settings, Users: role Administrator); set-up needs the key of one',
    )
  const installed = await odoo.read('ir.module.module', 'search_read', {
    domain: [
      ['name', '=', 'account'],
      ['state', '=', 'installed'],
    ],
    fields: ['name'],
  })
  if (ids.parse(installed).length === 0)
    throw new CountersignError(
      'ERR_ODOO_UNSUPPORTED',
      'this database of Odoo has no books: install its app Invoicing (account) and run it again',
    )
  const user = z.array(z.looseObject({ company_id: z.tuple([z.int(), z.string()]) }))
  const [own] = user.parse(await odoo.read('res.users', 'read', { ids: [uid], fields: ['company_id'] }))
  if (own) return own.company_id[0]
  throw new CountersignError('ERR_ODOO_AUTH', 'Odoo does not tell of the key’s own user')
}

/** The guard is made of Odoo's automation rules. */
async function installAutomation(odoo: FlatCalls, records: SetupRecords, isDry: boolean): Promise<boolean> {
  const modules = z.array(z.looseObject({ id: z.int(), state: z.string() }))
  const [module] = modules.parse(
    await odoo.read('ir.module.module', 'search_read', {
      domain: [['name', '=', 'base_automation']],
      fields: ['state'],
    }),
  )
  const what = 'module base_automation (automation rules)'
  if (module?.state === 'installed') {
    records.steps.push({ what, did: 'kept' })
    return true
  }
  if (module === undefined || module.state === 'uninstallable')
    throw new CountersignError(
      'ERR_ODOO_UNSUPPORTED',
      'this Odoo cannot install its module base_automation, which the guard is made of; without it a user who drafts could post. On Odoo Online and in Odoo’s own packages it is there; ask whoever runs this server',
    )
  if (!isDry) await records.change('ir.module.module', 'button_immediate_install', { ids: [module.id] })
  records.steps.push({ what, did: isDry ? 'would-make' : 'made' })
  return !isDry
}

/** Of every model that there is; modules that are not installed have none. */
async function modelIds(odoo: FlatCalls): Promise<ReadonlyMap<string, number>> {
  const wanted = [...new Set([...Object.keys(ACCESS), ...MODELS])]
  const models = z.array(z.looseObject({ id: z.int(), model: z.string() }))
  const found = await odoo.read('ir.model', 'search_read', { domain: [['model', 'in', wanted]], fields: ['model'] })
  return new Map(models.parse(found).map(({ model, id }) => [model, id]))
}
const MODELS = ['res.users', 'account.move', 'account.move.line', 'res.partner']

function modelOf(models: ReadonlyMap<string, number>, model: string): number {
  const id = models.get(model)
  if (id === undefined) throw new CountersignError('ERR_ODOO_UNSUPPORTED', `this Odoo has no model ${model}`)
  return id
}

async function makeGroup(records: SetupRecords, models: ReadonlyMap<string, number>): Promise<number | undefined> {
  const group = await records.ensure(
    'group of those who only draft',
    'res.groups',
    { name: 'Countersign: cloud drafts' },
    { api_key_duration: KEY_DAYS },
  )
  await records.ensure(`the group’s name ${CLOUD_GROUP.module}.${CLOUD_GROUP.name}`, 'ir.model.data', CLOUD_GROUP, {
    ...{ model: 'res.groups', res_id: group },
  })
  for (const [model, perms] of Object.entries(ACCESS)) {
    const modelId = models.get(model)
    if (modelId === undefined) continue
    const by = { name: `Countersign: the cloud and ${model}`, group_id: group }
    await records.ensure(`access to ${model}`, 'ir.model.access', by, { model_id: modelId, active: true, ...perms })
  }
  for (const { name, model, domain, perms } of RULES)
    await records.ensure(
      `rule: ${name.replace(/^Countersign: /, '')}`,
      'ir.rule',
      { name },
      {
        ...{ model_id: modelOf(models, model), domain_force: domain, active: true, ...perms },
        groups: group === undefined ? undefined : { ids: [group] },
      },
    )
  return group
}

async function makeGuards(
  records: SetupRecords,
  models: ReadonlyMap<string, number>,
  hasAutomation: boolean,
): Promise<void> {
  for (const { model, name: called, code } of GUARDS) {
    // Without the module there is nothing to look at: its own models and values are not there yet.
    const name = hasAutomation ? called : undefined
    const modelId = modelOf(models, model)
    const action = await records.ensure(
      `guard of ${model}: its code`,
      'ir.actions.server',
      { name },
      { model_id: modelId, state: 'code', usage: 'base_automation', code },
    )
    await records.ensure(
      `guard of ${model}`,
      'base.automation',
      { name },
      {
        ...{ model_id: modelId, trigger: 'on_create_or_write', active: true, filter_domain: false },
        ...{ filter_pre_domain: false, trigger_field_ids: { ids: [] } },
        action_server_ids: action === undefined ? undefined : { ids: [action] },
      },
    )
  }
}

async function makeUsers(
  odoo: FlatCalls,
  records: SetupRecords,
  companyId: number,
  cloudGroup: number | undefined,
): Promise<Readonly<Record<OdooUser, number | undefined>>> {
  const groupOf = async (module: string, name: string) => {
    const rows = z.array(z.looseObject({ res_id: z.int() }))
    const domain = [
      ['module', '=', module],
      ['name', '=', name],
    ]
    const found = rows.parse(await odoo.read('ir.model.data', 'search_read', { domain, fields: ['res_id'], limit: 1 }))
    if (found[0]) return found[0].res_id
    throw new CountersignError('ERR_ODOO_UNSUPPORTED', `this Odoo has no group ${module}.${name}`)
  }
  const companies = { company_id: companyId, company_ids: { ids: [companyId] } }
  const make = ({ login, name }: { login: string; name: string }, groups: { ids: readonly number[] } | undefined) =>
    records.ensure(`user ${login}`, 'res.users', { login }, { active: true, ...companies, group_ids: groups }, { name })
  return {
    // No role besides: an internal user could read bank accounts, and write to the chatter.
    cloud: await make(USERS.cloud, cloudGroup === undefined ? undefined : { ids: [cloudGroup] }),
    local: await make(USERS.local, {
      ids: [await groupOf('base', 'group_user'), await groupOf('account', 'group_account_invoice')],
    }),
  }
}

async function makeRequestId(records: SetupRecords, models: ReadonlyMap<string, number>): Promise<void> {
  await records.ensure(
    'field x_cloud_request_id of invoices',
    'ir.model.fields',
    { model_id: modelOf(models, 'account.move'), name: 'x_cloud_request_id' },
    { ttype: 'char', index: true, copied: false },
    { field_description: 'Countersign: request', state: 'manual' },
  )
}

/** Posted invoices stay: they cannot be deleted, nor changed without it being seen. */
async function keepPosted(odoo: FlatCalls, records: SetupRecords, companyId: number): Promise<void> {
  await records.ensure('the company’s audit trail', 'res.company', { id: companyId }, { restrictive_audit_trail: true })
  const journals = await odoo.read('account.journal', 'search_read', {
    domain: [
      ['type', '=', 'sale'],
      ['company_id', '=', companyId],
    ],
    fields: ['id'],
  })
  for (const { id } of ids.parse(journals))
    await records.ensure(
      `sales journal ${id}: posted invoices are sealed`,
      'account.journal',
      { id },
      { restrict_mode_hash_table: true },
    )
}

async function makeIndexAndKeys(
  records: SetupRecords,
  code: SetupCode,
  users: Readonly<Record<OdooUser, number | undefined>>,
  { isDry, areKeysNew, writeKey }: SetupAsked,
): Promise<void> {
  const known = Object.values(users).filter((id) => id !== undefined)
  if (!isDry) await code.clear()
  const present = isDry && known.length === 0 ? { hasIndex: false, keys: [] } : await code.look(known)
  const step = (what: string, isThere: boolean) =>
    void records.steps.push({ what, did: isThere ? 'kept' : isDry ? 'would-make' : 'made' })
  if (!present.hasIndex && !isDry)
    await code.makeIndex().catch((cause: Error) => {
      throw new CountersignError(
        'ERR_ODOO_REFUSED',
        `Odoo does not make the index that lets each request have one draft (${cause.message}). Have this run in its database, then run it again: ${INDEX_SQL};`,
        { cause },
      )
    })
  step('each request id once (a unique index)', present.hasIndex)
  for (const user of ['cloud', 'local'] as const) {
    const id = users[user]
    const isThere = !areKeysNew && present.keys.some((key) => key.user === id && key.name === WRITTEN)
    if (!isThere && !isDry && id !== undefined) {
      await writeKey(user, await code.makeKey(id, KEY_DAYS))
      await code.confirmKey(id)
    }
    step(`key of ${USERS[user].login}, for ${KEY_DAYS} days`, isThere)
  }
}
