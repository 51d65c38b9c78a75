import type { KeyObject } from 'node:crypto'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { crossCheck, type LedgerHead, type LedgerReport, verifyChain } from '#core/ledger.ts'
import { MAX_LOG_BYTES } from '#core/path-ownership.ts'
import type { Oid, TreeFile } from '#core/ports/repo.ts'
import { checkTree } from '#core/tree-check.ts'
import { fileNameOf, placeOf, type VaultPath } from '#core/vault-path.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { verifiedHead } from './verify-hub.ts'

export interface VerifyHeadDeps extends Pick<SyncDeps, 'repo' | 'store' | 'workTree' | 'agent' | 'trust'> {
  /** Every key that an agent's checkpoints were ever signed with. */
  readonly checkpointKeys: ReadonlyMap<string, readonly KeyObject[]>
  /** The head of the own ledger that this machine remembers. */
  readonly ledgerHead: () => LedgerHead | null
}

const MAX_NAMED = 5
const REPAIR = '`countersign sync --repair` gets what is missing again.'

/** The clone, the verified head and the hub's: hang they together, and is what they hold plausible? A finding for each. */
export async function verifyHead(deps: VerifyHeadDeps, readAll: boolean): Promise<Finding[]> {
  const findings = [await checkHub(await verifiedHead(deps), deps), await checkClone(deps, readAll)]
  const ledgers = await checkLedgers(deps)
  try {
    return [...findings, ...(await checkVerified(deps)), ledgers]
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_GIT_FAILED')) throw error
    return [...findings, { check: 'head', result: 'failed', found: error.message, hint: REPAIR }, ledgers]
  }
}

/** A round may take over a new head while the tree is read; then the next one is looked at. */
async function checkVerified(deps: VerifyHeadDeps): Promise<Finding[]> {
  for (;;) {
    const verified = await verifiedHead(deps)
    const tree = await deps.repo.treeOf(verified)
    const memory = checkMemory(tree, deps)
    if ((await verifiedHead(deps)) === verified) return [memory, await checkOwners(tree, deps)]
  }
}

async function checkHub(verified: Oid | null, { repo }: VerifyHeadDeps): Promise<Finding> {
  const check = 'hub'
  const answer = await repo.remoteHead()
  if (answer.kind !== 'ok')
    return { check, result: 'skipped', found: answer.reason.split('\n')[0]?.slice(0, 300) ?? '' }
  if (answer.head === verified) return { check, result: 'ok', found: 'its head is the one verified here' }
  const isBehind = verified !== null && (answer.head === null || (await repo.isAncestor(answer.head, verified)))
  if (!isBehind) return { check, result: 'ok', found: 'it has news, which the next round judges' }
  const hint = 'It gets it back by the next round; if it does not, `countersign sync --repair`.'
  return { check, result: 'failed', found: 'it has lost its newest history', hint }
}

async function checkClone({ repo }: VerifyHeadDeps, readAll: boolean): Promise<Finding> {
  const problems = await repo.checkObjects({ readAll })
  if (problems.length > 0) return { check: 'objects', result: 'failed', found: some(problems), hint: REPAIR }
  return { check: 'objects', result: 'ok', found: readAll ? 'all there and sound' : 'all there' }
}

/** What sync remembers of the verified head, against the head itself. */
function checkMemory(tree: ReadonlyMap<string, TreeFile>, { store }: VerifyHeadDeps): Finding {
  const known = store.hubUnder('')
  const paths = new Set<string>([...tree.keys(), ...known.keys()])
  const differing = [...paths].filter((path) => tree.get(path)?.oid !== known.get(path as VaultPath)?.oid)
  if (differing.length === 0)
    return { check: 'memory', result: 'ok', found: `${known.size} files of the head remembered` }
  const hint = '`countersign sync --repair` reads the head anew.'
  return { check: 'memory', result: 'failed', found: `not as the head has it: ${some(differing)}`, hint }
}

async function checkOwners(tree: ReadonlyMap<string, TreeFile>, { trust }: VerifyHeadDeps): Promise<Finding> {
  const { agents, revoked } = await trust()
  const known = new Set([...agents.keys(), ...[...(revoked?.values() ?? [])].map(({ name }) => name)])
  const entries = [...tree].map(([path, { mode, size }]) => ({ path, mode, size }))
  const faults = checkTree(entries, known)
  if (faults.length === 0)
    return { check: 'tree', result: 'ok', found: 'every file is one that somebody may have written' }
  const hint = 'No allowed change leads there. Look at these files; docs/vault-contract.md has the rules.'
  return { check: 'tree', result: 'failed', found: some(faults.map(({ path, rule }) => `${path} (${rule})`)), hint }
}

/** Every chain by itself, then all against the signed checkpoints, and the own one against what this machine remembers. */
async function checkLedgers({ workTree, checkpointKeys, ledgerHead, agent }: VerifyHeadDeps): Promise<Finding> {
  // Before the files are read: they grow meanwhile, and a later head would look like a cut tail.
  const anchor = ledgerHead()
  const byAgent = new Map<string, { name: string; text: string }[]>()
  for await (const { folder, files } of workTree.list()) {
    if (!folder.startsWith('Logs/')) continue
    for (const path of files.keys()) {
      const place = placeOf(path)
      const found = place.kind === 'log' ? await workTree.read(path, MAX_LOG_BYTES) : undefined
      if (place.kind !== 'log' || !found) continue
      const whole = Buffer.from(found.bytes.subarray(0, found.bytes.lastIndexOf(10) + 1)).toString('utf8')
      byAgent.set(place.agent, [...(byAgent.get(place.agent) ?? []), { name: fileNameOf(path), text: whole }])
    }
  }
  const reports: LedgerReport[] = [...byAgent].map(([name, texts]) => verifyChain(name, texts))
  const anchors = new Map(anchor ? [[agent, anchor] as const] : [])
  const faults = [...reports.flatMap((report) => report.faults), ...crossCheck(reports, checkpointKeys, anchors)]
  const entries = reports.reduce((sum, report) => sum + report.entries.length, 0)
  if (faults.length === 0) return { check: 'ledgers', result: 'ok', found: `${entries} entries, unbroken` }
  const said = faults.map((one) => `${one.agent} ${one.file}: ${one.problem}`)
  return {
    check: 'ledgers',
    result: 'failed',
    found: some(said),
    hint: '`countersign audit verify` names every entry.',
  }
}

function some(lines: readonly string[]): string {
  const more = lines.length - MAX_NAMED
  return [...lines.slice(0, MAX_NAMED), ...(more > 0 ? [`… and ${more} more`] : [])].join('; ').slice(0, 1_000)
}
