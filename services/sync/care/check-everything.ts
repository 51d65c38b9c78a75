import type { Finding } from '#core/finding.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import type { VaultPath } from '#core/vault-path.ts'
import { type VerifyHeadDeps, verifyHead } from '../hub/verify-head.ts'
import { type VerifyDeps, verifyVault } from './verify-vault.ts'

/** Reading every object costs seconds; that they are all there is checked each time. */
const READ_ALL_EVERY_MS = 7 * 24 * 3_600_000

export interface CheckDeps extends VerifyHeadDeps, VerifyDeps {
  readonly nowMs: number
  /** Something stands there that the next round has to read again. */
  readonly mark: (path: VaultPath) => void
}

/**
 * Holds work tree, memory, clone, hub and ledgers against each other; remembers when, and what was wrong. A file whose
 * times hide a change is read again by the next round.
 */
export async function checkEverything(
  deps: CheckDeps,
  options: { readonly readAll: boolean; readonly confirm: <T>(act: () => Promise<T>) => Promise<T> },
): Promise<Finding[]> {
  const { store, nowMs } = deps
  const readAt = Number(store.fact('objects_read_at') ?? 0)
  const readAll = options.readAll || nowMs - readAt > READ_ALL_EVERY_MS
  const head = await verifyHead(deps, readAll)
  const vault = await verifyVault(deps, options.confirm)
  for (const path of vault.unnoticed) {
    const base = store.baseRow(path)
    if (base) store.update({ base: [[path, { oid: base.oid, identity: null }]] })
    deps.mark(path)
  }
  const findings = [...head, ...vault.findings]
  const problems = findings.filter(({ result }) => result === 'failed').map(({ check, found }) => `${check}: ${found}`)
  store.update({
    facts: {
      check: JSON.stringify({ at: new Date(nowMs).toISOString(), problems: problems.map((one) => one.slice(0, 300)) }),
      ...(readAll && { objects_read_at: String(nowMs) }),
    },
  })
  return findings
}

/** The last check, as the status tells it. */
export function lastCheck(
  store: Pick<SyncStore, 'fact'>,
):
  | { readonly atMs: number; readonly status: { readonly at: string; readonly problems: readonly string[] } }
  | undefined {
  const text = store.fact('check')
  if (text === undefined) return undefined
  const status = JSON.parse(text) as { at: string; problems: string[] }
  return { atMs: Date.parse(status.at), status }
}
