import type { OdooCalls } from './calls.ts'

/** The field by which the books hold a request once and for all, where `countersign odoo setup` made it. */
export const REQUEST_FIELD = 'x_cloud_request_id'

/** Whether the server has it. Once it has, it is not asked again. */
export function requestField(calls: OdooCalls): () => Promise<boolean> {
  let isThere = false
  return async () => {
    if (isThere) return true
    const args = { allfields: [REQUEST_FIELD], attributes: ['type'] }
    const found = await calls.read('account.move', 'fields_get', { args })
    isThere = typeof found === 'object' && found !== null && REQUEST_FIELD in found
    return isThere
  }
}

/** What `ref` of an invoice holds where the field is not there: how it is found again. */
export function refOf(requestId: string): string {
  return `CS-${requestId}`
}
