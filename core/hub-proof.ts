import type { Finding } from './finding.ts'

/**
 * Where a forged commit is pushed to see what the hub says of it. Git cannot keep a branch of this name beside one that is
 * called `main`: whatever the hub's rules do or leave undone, it does not stay.
 */
export const PROOF_REF = 'refs/heads/main/proof'

/** What is tried: what only the person may write. */
export const FORGED_PATH = 'Approved/EMAIL_2026-01-01_proof-of-the-hub_aaaaaa.md'

const CHECK = 'the hub refuses an approval that the cloud made up'
const AGAIN =
  'Restart the hub, which writes its rules anew: `docker compose -f compose.cloud.yml restart hub`. Until then your own machine’s gate is what holds.'

/** What the hub's answer to the forged commit means. */
export function judgeHubAnswer(answer: {
  readonly kind: 'landed' | 'refused' | 'unreachable'
  /** What it said, its own rules' lines first. */
  readonly said: string
}): Finding {
  const { kind, said } = answer
  if (kind === 'unreachable') return { check: CHECK, result: 'skipped', found: `it could not be asked: ${said}` }
  const rules = said
    .split('\n')
    .flatMap((line) => /^countersign: refused (?:[0-9a-f]{6,40} )?([a-z-]+): /.exec(line)?.[1] ?? [])
  const rule = rules.find((one) => one !== 'proof' && one !== 'ref')
  if (kind === 'refused' && rule === 'gate-failed')
    return {
      check: CHECK,
      result: 'skipped',
      found: `its gate refuses everything: ${said.split('\n')[0]}`,
      hint: AGAIN,
    }
  if (kind === 'refused' && rule)
    return { check: CHECK, result: 'ok', found: `pushed ${FORGED_PATH}, signed by the cloud: refused (${rule})` }
  if (rules.includes('ref'))
    return {
      check: CHECK,
      result: 'skipped',
      found: 'it is older than this program, and looks at no such proof',
      hint: AGAIN,
    }
  const found =
    kind === 'landed' ? 'it took it in' : 'its rules said nothing; only git refused it, as it could not be kept'
  return { check: CHECK, result: 'failed', found, hint: AGAIN }
}
