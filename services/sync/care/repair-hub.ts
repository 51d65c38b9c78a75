import type { Finding } from '#core/finding.ts'
import { judgeRange } from '#core/gate.ts'
import type { Oid } from '#core/ports/repo.ts'
import { findFork, reattach } from '../hub/reattach.ts'
import { restoreHub } from '../hub/restore-hub.ts'
import { verifiedHead } from '../hub/verify-hub.ts'
import { standingNames } from '../merge/standing-names.ts'
import type { HubDeps } from '../sync-deps.ts'

const CHECK = 'hub'

/**
 * On the person's word: holds the hub's head against the one verified here and settles what stands between them. A hub
 * that lost history gets it back; one with another history is taken over. What may not enter stays where it is, and the
 * finding says how to take it off, unless `mayReset`: then that is done where the hub lets us.
 */
export async function repairHub(deps: HubDeps, mayReset: boolean): Promise<Finding> {
  const { repo, store } = deps
  const fetched = await repo.fetch()
  if (fetched.kind === 'unreachable') return { check: CHECK, result: 'skipped', found: firstLine(fetched.reason) }
  const verified = await verifiedHead(deps)
  if (fetched.kind === 'refused')
    return settleBad({ head: await headNow(deps), verified, why: firstLine(fetched.reason), mayReset }, deps)
  const { head } = fetched
  if (head === verified) return { check: CHECK, result: 'ok', found: sayHead(head) }
  if (head && (verified === null || (await repo.isAncestor(verified, head)))) {
    const why = await refusalOf(verified, head, deps)
    if (why === undefined) return { check: CHECK, result: 'ok', found: `news up to ${short(head)}, all of it in order` }
    return settleBad({ head, verified, why, mayReset }, deps)
  }
  if (verified === null) return { check: CHECK, result: 'ok', found: 'empty, and nothing was ever verified here' }
  // The limit is for a hub that forgets by itself; now a person has asked.
  store.update({ facts: { hub_losses: null } })
  const restored = await restoreHub(head, deps)
  if (restored?.kind === 'restored')
    return {
      check: CHECK,
      result: 'repaired',
      found: `it had lost its newest history, put back up to ${short(verified)}`,
    }
  if (restored)
    return { check: CHECK, result: 'failed', found: `it lost history and does not take it back (${restored.kind})` }
  const taken = await reattach(head, verified, deps)
  return taken.result === 'failed' ? settleBad({ head, verified, why: taken.found, mayReset }, deps) : taken
}

interface BadHub {
  readonly head: Oid | null
  readonly verified: Oid | null
  readonly why: string
  readonly mayReset: boolean
}

/** What the gate says against the news; undefined: nothing, and the next round takes it over. */
async function refusalOf(lastVerified: Oid | null, head: Oid, deps: HubDeps): Promise<string | undefined> {
  const standing = (paths: readonly string[]) => standingNames(deps.store, paths)
  const context = { ...(await deps.trust()), scan: deps.scan, standing }
  const verdict = await judgeRange(deps.repo, { lastVerified, head }, context)
  if (verdict.kind === 'ok') return undefined
  const { rule = '', detail = '' } = verdict.faults[0] ?? {}
  return `${rule} ${detail}`
}

async function settleBad({ head, verified, why, mayReset }: BadHub, deps: HubDeps): Promise<Finding> {
  const found = `it holds what may not enter: ${why}`
  // Who never verified anything does not know what to put back: perhaps it is the trust that is incomplete here.
  if (head === null || verified === null) return { check: CHECK, result: 'failed', found, hint: 'See SECURITY.md.' }
  if (mayReset) {
    await deps.repo.resetHub({ to: verified, expected: head })
    // Whatever the answer was, the hub's own word counts.
    if ((await headNow(deps)) === verified)
      return { check: CHECK, result: 'repaired', found: `${found}; taken off, it stands at ${short(verified)} again` }
  }
  return { check: CHECK, result: 'failed', found, hint: await sayHow(head, verified, mayReset, deps) }
}

async function sayHow(head: Oid, verified: Oid, wasTried: boolean, deps: HubDeps): Promise<string> {
  const to = await standingBase(head, verified, deps)
  const update = to ? `update-ref refs/heads/main ${to} ${head}` : `update-ref -d refs/heads/main ${head}`
  return [
    'Find out who put it there (SECURITY.md).',
    wasTried
      ? 'The hub does not let itself be put back from here.'
      : '`countersign sync --repair --reset-hub` takes it off, where the hub lets us.',
    'On the hub’s own machine: ',
    `docker compose -f compose.cloud.yml exec hub git --git-dir /srv/hub/vault.git ${update}`,
    `(another hub: git --git-dir <its repository> ${update})`,
  ].join(' ')
}

/** The newest commit that the hub surely has of our history: what came after it follows by itself. */
async function standingBase(head: Oid, verified: Oid, deps: HubDeps): Promise<Oid | null> {
  if (await deps.repo.isAncestor(verified, head)) return verified
  const fork = await findFork(head, verified, deps)
  return fork.isOwnKnown ? fork.base : verified
}

async function headNow({ repo }: HubDeps): Promise<Oid | null> {
  const answer = await repo.remoteHead()
  return answer.kind === 'ok' ? answer.head : null
}

function sayHead(head: Oid | null): string {
  return head ? `its head ${short(head)} is the one verified here` : 'empty, as it is known here'
}

function short(oid: Oid | null): string {
  return oid?.slice(0, 12) ?? 'nothing'
}

function firstLine(text: string): string {
  return (text.split('\n').find((line) => line.trim() !== '') ?? '').slice(0, 300)
}
