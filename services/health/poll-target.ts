import type { ServiceStatus } from '#core/status.ts'
import type { Target } from './config.ts'

const TIMEOUT_MS = 2_500
const MAX_DETAIL = 500

/** Asks one service how it is. Never throws: no answer is an answer. */
export async function pollTarget(target: Target): Promise<ServiceStatus> {
  const [live, ready] = await Promise.all([ask(`${target.url}/livez`), ask(`${target.url}/readyz`)])
  const isReady = live.ok && ready.ok
  const detail = isReady ? '' : (live.ok ? ready : live).detail.slice(0, MAX_DETAIL)
  return { name: target.name, live: live.ok, ready: isReady, ...(detail ? { detail } : {}) }
}

async function ask(url: string): Promise<{ ok: boolean; detail: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { ok: response.ok, detail: response.ok ? '' : failingParts(await response.text()) }
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
    return { ok: false, detail: code ?? (cause instanceof Error ? cause.message : String(cause)) }
  }
}

/** `redis: no answer within 2000 ms; hub: …` out of the JSON that runtime/http.ts serves. */
function failingParts(text: string): string {
  try {
    const answer = JSON.parse(text) as Record<string, unknown>
    const parts = Object.entries({ ...record(answer.checks), ...record(answer.progress) })
      .filter(([, result]) => record(result).ok === false)
      .map(([name, result]) => `${name}: ${String(record(result).detail ?? 'failed')}`)
    return parts.join('; ') || String(answer.state ?? 'not ready')
  } catch {
    return 'an answer that is no JSON'
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
