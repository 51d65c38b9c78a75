import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { Domain } from './book-tables.ts'
import type { FlatCalls } from './flat-calls.ts'

/** What became of one thing that Odoo is to have. `would-…`: with a dry run, in which nothing is changed. */
export interface SetupStep {
  readonly what: string
  readonly did: 'kept' | 'made' | 'changed' | 'would-make' | 'would-change'
  /** Which of its values were not as they should be. */
  readonly fields?: readonly string[]
}

/** A value of a record: a whole set of related records is `{ ids }`, at least these `{ has }`. */
export type Value =
  | string
  | number
  | boolean
  | { readonly ids: readonly number[] }
  | { readonly has: readonly number[] }
/** Undefined: the id of something that a dry run would have made first. */
export type Values = Readonly<Record<string, Value | undefined>>

const record = z.looseObject({ id: z.int().positive() })

/** Odoo's records as an administrator makes them, each found again by its own name: whatever died between, the next run goes on there. */
export interface SetupRecords {
  readonly steps: SetupStep[]
  /** The one record that `by` finds, made or corrected as `values` say; undefined where a dry run would make it. */
  ensure(what: string, model: string, by: Values, values: Values, onlyNew?: Values): Promise<number | undefined>
  /** The ids that the domain finds. */
  find(model: string, domain: Domain): Promise<number[]>
  /** A call that changes something and is made once. Throws ERR_ODOO_UNREACHABLE where nobody knows whether it was. */
  change(model: string, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown>
}

export function setupRecords(odoo: FlatCalls, isDry: boolean): SetupRecords {
  const steps: SetupStep[] = []
  const search = async (model: string, domain: Domain, fields: readonly string[]) => {
    // Archived ones count: they would be in the way of new ones.
    const args = { domain, fields, limit: 2, order: 'id', context: { active_test: false } }
    return z.array(record).parse(await odoo.read(model, 'search_read', args))
  }
  const change = async (model: string, method: string, args: Readonly<Record<string, unknown>>) => {
    const answer = await odoo.write(model, method, args)
    if (answer.kind === 'done') return answer.value
    throw new CountersignError(
      'ERR_ODOO_UNREACHABLE',
      `Odoo, ${model}.${method}: no whole answer (${answer.reason}); run it again, it goes on where it stopped`,
    )
  }
  return {
    steps,
    change,
    find: async (model, domain) => (await search(model, domain, ['id'])).map(({ id }) => id),
    async ensure(what, model, by, values, onlyNew = {}) {
      const step = (did: SetupStep['did'], fields?: readonly string[]) =>
        void steps.push({ what, did, ...(fields && { fields }) })
      const key = Object.entries(by)
      const isKnown = key.every(([, value]) => value !== undefined)
      const domain = key.map(([field, value]) => [field, '=', value] as const)
      const found = isKnown ? await search(model, domain, Object.keys(values)) : []
      const [first] = found
      if (found.length > 1)
        throw new CountersignError(
          'ERR_ODOO_REFUSED',
          `Odoo has more than one ${model} with ${key.map(([field, value]) => `${field} ${String(value)}`).join(', ')}; remove the ones that are too many`,
        )
      if (first === undefined) {
        step(isDry ? 'would-make' : 'made')
        if (isDry) return undefined
        const created = await change(model, 'create', {
          vals_list: [written({ ...by, ...values, ...onlyNew })],
          context: { no_reset_password: true },
        })
        return z.array(z.int().positive()).length(1).parse(created)[0]
      }
      const wrong = Object.entries(values).filter(([field, value]) => !isSame(first[field], value))
      if (wrong.length === 0) step('kept')
      else {
        const fields = wrong.map(([field]) => field)
        step(isDry ? 'would-change' : 'changed', fields)
        if (!isDry) await change(model, 'write', { ids: [first.id], vals: written(Object.fromEntries(wrong)) })
      }
      return first.id
    },
  }
}

function written(values: Values): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([field, value]) => {
      if (typeof value !== 'object') return [field, value]
      return [field, 'ids' in value ? [[6, 0, value.ids]] : value.has.map((id) => [4, id, 0])]
    }),
  )
}

/** Empty is `false` in Odoo, and a related record is [id, label]. */
function isSame(present: unknown, wanted: Value | undefined): boolean {
  if (wanted === undefined) return false
  if (typeof wanted === 'object') {
    const ids = new Set(Array.isArray(present) ? present : [])
    const asked = 'ids' in wanted ? wanted.ids : wanted.has
    return asked.every((id) => ids.has(id)) && ('has' in wanted || ids.size === asked.length)
  }
  const one = Array.isArray(present) && typeof wanted === 'number' ? present[0] : present
  return typeof wanted === 'string' ? String(one).trim() === wanted.trim() : one === wanted
}
