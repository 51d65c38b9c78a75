import type { Finding } from '#core/finding.ts'
import type { OdooAccount } from './http.ts'
import { odooCalls } from './odoo-calls.ts'
import { proveDraftsOnly } from './prove-drafts.ts'

/** Five creates at once, each with Odoo's retries. */
const LIMIT_MS = 60_000

/** What the cloud's key must not be able to do in the books, tried for real on drafts that are removed again. Never throws. */
export async function proveBooks(account: OdooAccount): Promise<Finding[]> {
  return sumUpBooks(await proveDraftsOnly(odooCalls({ ...account, limitMs: LIMIT_MS })))
}

/** In one line where all is well; what was let through is told one by one. */
export function sumUpBooks(findings: readonly Finding[]): Finding[] {
  const check = 'Odoo refuses the cloud’s key everything but drafts'
  const refusals = findings.filter(({ check }) => check.startsWith('cannot '))
  // `no proof`, `no answer`: it was not refused, and it was not done either.
  const isUnknown = ({ found }: Finding) => /^no (?:proof|answer): /.test(found)
  const open = refusals.filter((one) => one.result === 'failed' && !isUnknown(one))
  if (open.length > 0)
    return open.map(({ check, found, hint }) => ({
      ...{ check: `Odoo: the cloud’s key ${check}`, result: 'failed', found },
      ...(hint !== undefined && { hint }),
    }))
  const other = findings.find(({ result }) => result === 'failed')
  if (other || refusals.length === 0)
    return [{ check, result: 'skipped', found: other ? `${other.check}: ${other.found}` : 'nothing could be tried' }]
  return [
    {
      check,
      result: 'ok',
      found: `${refusals.length} things were tried with it, posting and paying among them; each was refused`,
    },
  ]
}
