import { CANARY_EVERY_MS, canaryText, readCanary } from '#core/canary.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { updateNotePath } from '#core/update-note.ts'
import type { VaultPath } from '#core/vault-path.ts'
import type { Metrics } from '#runtime/metrics.ts'

export interface CanaryDeps {
  readonly agent: string
  readonly vault: Pick<VaultPort, 'list' | 'read' | 'create' | 'exists'>
  readonly metrics: Pick<Metrics, 'since' | 'observe'>
}

/** Sends a canary to the local zone every hour and sees it come back. The vault knows what is on its way: a restart loses none. */
export async function canaries({ agent, vault, metrics }: CanaryDeps, startMs: number) {
  let flying = await find()
  let sentAt = flying?.sentAt
  metrics.since('countersign_canary_age_seconds', startMs, {})
  return async (nowMs: number): Promise<void> => {
    if (flying && !(await vault.exists(flying.path))) {
      metrics.observe('countersign_canary_round_seconds', (nowMs - flying.sentAt) / 1000, {})
      metrics.since('countersign_canary_age_seconds', nowMs, {})
      flying = undefined
    }
    if (flying || (sentAt !== undefined && nowMs - sentAt < CANARY_EVERY_MS)) return
    const path = updateNotePath(agent, nowMs, `${agent}/canary/${nowMs}`)
    await vault.create(path, canaryText({ agent, sentAt: nowMs }))
    flying = { path, sentAt: nowMs }
    sentAt = nowMs
  }

  async function find(): Promise<{ path: VaultPath; sentAt: number } | undefined> {
    for (const path of await vault.list(`Updates/${agent}`)) {
      const canary = readCanary((await vault.read(path).catch(() => undefined)) ?? '')
      if (canary) return { path, sentAt: canary.sentAt }
    }
    return undefined
  }
}
