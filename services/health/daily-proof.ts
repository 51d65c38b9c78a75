import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'

const DAY_MS = 86_400_000
/** After a start, and after a try that told nothing: what it asks may be starting, too. */
const SOON_MS = 600_000
const RESULTS = ['ok', 'failed', 'skipped'] as const

/** What health keeps of a proof. */
export interface KeptProof {
  readonly at: string
  readonly verdict: string
  readonly lines: readonly { readonly result: string; readonly check: string; readonly found: string }[]
}

export interface DailyProofDeps {
  /** Makes one; rejects when none could be made. */
  readonly prove: () => Promise<KeptProof>
  readonly keep: (proof: KeptProof) => Promise<void>
  /** The last one that was kept. */
  readonly before: KeptProof | undefined
  readonly metrics: Pick<Metrics, 'set'>
  readonly log: Pick<Log, 'info' | 'error'>
}

/** Makes a proof once a day, and tells its outcome and age as metrics. Call it again and again; it never rejects, and one runs at a time. */
export function dailyProof({ prove, keep, before, metrics, log }: DailyProofDeps, startMs: number) {
  let nextMs = Math.max(startMs + SOON_MS, before ? Date.parse(before.at) + DAY_MS : 0)
  let isBusy = false
  const tell = (proof: KeptProof) => {
    metrics.set('countersign_proof_last_timestamp_seconds', Date.parse(proof.at) / 1000, {})
    for (const result of RESULTS) {
      const count = proof.lines.filter((line) => line.result === result).length
      metrics.set('countersign_proof_lines', count, { result })
    }
  }
  if (before) tell(before)
  return async (nowMs: number): Promise<void> => {
    if (isBusy || nowMs < nextMs) return
    isBusy = true
    try {
      const proof = await prove()
      nextMs = nowMs + DAY_MS
      tell(proof)
      await keep(proof)
      const wrong = proof.lines.filter(({ result }) => result === 'failed')
      for (const { check, found } of wrong) log.error({ check, reason: found }, 'proof: something that must not be')
      log.info({ outcome: proof.verdict, count: proof.lines.length }, `proof: ${proof.verdict}`)
    } catch (error) {
      nextMs = nowMs + SOON_MS
      log.error({ err: error }, 'the proof that this zone cannot act was not made')
    } finally {
      isBusy = false
    }
  }
}
