import { tmpdir } from 'node:os'
import { proveHub } from '#adapters/git/prove-hub.ts'
import type { Finding } from '#core/finding.ts'
import { type CarePlace, cloneOptions } from './main-care.ts'

const DAY_MS = 86_400_000

/** What sync can try with what it holds: its keys at the hub, and what its check of the night found. */
export async function tries(
  place: CarePlace,
  check: { readonly atMs: number; readonly status: { readonly problems: readonly string[] } } | undefined,
  nowMs: number,
): Promise<Finding[]> {
  return [await proveHub(await cloneOptions(place), tmpdir()), verified(check, nowMs)]
}

function verified(check: Parameters<typeof tries>[1], nowMs: number): Finding {
  const of = 'vault, history and ledgers agreed when they were last verified'
  const asked = { check: of, hint: '`countersign sync --verify` verifies them now, and says what to do.' }
  if (!check) return { ...asked, result: 'skipped', found: 'they were not verified yet' }
  const at = new Date(check.atMs).toISOString()
  const [problem] = check.status.problems
  if (problem !== undefined) return { ...asked, result: 'failed', found: `${at}: ${problem}` }
  if (nowMs - check.atMs > 2 * DAY_MS) return { ...asked, result: 'skipped', found: `that was ${at}, too long ago` }
  return { check: of, result: 'ok', found: at }
}
