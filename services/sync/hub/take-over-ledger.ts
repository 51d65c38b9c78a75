import { parseLedgerLine } from '#core/ledger.ts'
import { MAX_LOG_BYTES } from '#core/path-ownership.ts'
import { fileNameOf } from '#core/vault-path.ts'
import type { SyncDeps } from '../sync-deps.ts'

/**
 * The hub has entries of this agent's own ledger that are not here: this machine was set back, and wrote them before that.
 * They are taken over, so that the ledger goes on from there. True when it was: then everything is to be looked at anew.
 */
export async function takeOverLedger(deps: SyncDeps): Promise<boolean> {
  const { agent, store, scanner, repo } = deps
  if (!deps.takeOverLedger) return false
  const days = [...store.hubUnder(`Logs/${agent}/`)].sort(([a], [b]) => (a < b ? -1 : 1))
  // What this work tree is known to be based on, or holds to the byte, is no news.
  const from = days.findIndex(
    ([path, { oid }]) => store.baseRow(path)?.oid !== oid && scanner.view.known(path)?.oid !== oid,
  )
  if (from < 0) return false
  const texts = await Promise.all(
    days.slice(from).map(async ([path, { oid }]) => ({
      name: fileNameOf(path),
      text: Buffer.from(await repo.readBlob(oid, MAX_LOG_BYTES)).toString('utf8'),
    })),
  )
  const last = parseLedgerLine(texts.at(-1)?.text.trimEnd().split('\n').at(-1) ?? '')
  if (!last || !(await deps.takeOverLedger(texts, Date.parse(last.at)))) return false
  store.update({ facts: { checkpoint: null, checkpoint_oid: null } })
  scanner.markAll()
  return true
}
