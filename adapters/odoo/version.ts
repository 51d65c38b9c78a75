import { CountersignError } from '#core/errors.ts'
import { ask, type OdooAccount } from './http.ts'

/** The first version whose models are known here, and the first with /json/2. */
export const FIRST_SUPPORTED = 16
export const FIRST_JSON2 = 19

/** Which Odoo answers, as its major version. Throws ERR_ODOO_UNREACHABLE where none does. */
export async function odooVersion(account: OdooAccount): Promise<number> {
  // Odoo 19 and later; then what earlier ones have.
  const answers = [
    await ask(account, { path: '/web/version' }),
    await ask(account, { path: '/web/webclient/version_info', json: {} }),
  ]
  for (const answer of answers) {
    const major = answer.kind === 'answer' ? majorOf(answer.json) : undefined
    if (major !== undefined) return major
  }
  const [first] = answers
  const found = first?.kind === 'answer' ? `${first.status}, and no Odoo` : (first?.reason ?? '')
  throw new CountersignError('ERR_ODOO_UNREACHABLE', `Odoo at ${account.url}: ${found}`)
}

export function tooOld(major: number, { url }: Pick<OdooAccount, 'url'>): CountersignError {
  const say = `Odoo at ${url} is version ${major}; ${FIRST_SUPPORTED} or later is needed`
  return new CountersignError('ERR_ODOO_UNSUPPORTED', say)
}

/** `version_info` is [19, 0, …]; on Odoo Online its first element is `saas~19`. */
function majorOf(json: unknown): number | undefined {
  const body = json as { version_info?: unknown; result?: { server_version_info?: unknown } } | undefined
  const info = body?.version_info ?? body?.result?.server_version_info
  const digits = Array.isArray(info) ? /\d+/.exec(String(info[0]))?.[0] : undefined
  return digits === undefined ? undefined : Number(digits)
}
