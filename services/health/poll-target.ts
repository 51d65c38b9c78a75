import type { ServiceLook } from '#core/dependencies.ts'
import { NO_REPORT, parseServiceReport } from '#core/service-report.ts'
import type { ServiceStatus } from '#core/status.ts'
import type { Target } from './config.ts'

const TIMEOUT_MS = 2_500
const MAX_DETAIL = 500

/** All addresses that a host's name stands for. Never throws. */
export type AddressesOf = (host: string) => Promise<readonly string[]>

type Polled = { readonly status: ServiceStatus; readonly look: ServiceLook }

/**
 * Asks a service how it is, and what it works with. Where its name stands for several replicas, each is asked, and the
 * service is as its best one: the others are seen to by their own health checks. Never throws: no answer is an answer.
 */
export async function pollTarget(target: Target, addressesOf: AddressesOf = async () => []): Promise<Polled> {
  const url = new URL(target.url)
  const addresses = url.protocol === 'http:' ? await addressesOf(url.hostname) : []
  if (addresses.length < 2) return pollOne(target)
  const polled = await Promise.all(addresses.map((address) => pollOne({ ...target, url: urlOf(url, address) })))
  const best = polled.find(({ status }) => status.ready) ?? polled.find(({ status }) => status.live) ?? polled[0]
  return best ?? pollOne(target)
}

function urlOf({ port }: URL, address: string): string {
  return `http://${address.includes(':') ? `[${address}]` : address}${port && `:${port}`}`
}

async function pollOne(target: Target): Promise<Polled> {
  const { name, url } = target
  const [live, ready, told] = await Promise.all([ask(`${url}/livez`), ask(`${url}/readyz`), ask(`${url}/report`)])
  const isReady = live.ok && ready.ok
  const detail = isReady ? '' : (live.ok ? failingParts(ready) : failingParts(live)).slice(0, MAX_DETAIL)
  return {
    status: { name, live: live.ok, ready: isReady, ...(detail ? { detail } : {}) },
    look: { name, checks: checksOf(ready), report: told.ok ? parseServiceReport(told.text) : NO_REPORT },
  }
}

/** `text`: the answer, or in `fault` why there is none. */
interface Answer {
  readonly ok: boolean
  readonly text: string
  readonly fault?: string
}

async function ask(url: string): Promise<Answer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { ok: response.ok, text: await response.text() }
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    if (!(cause instanceof Error)) return { ok: false, text: '', fault: String(cause) }
    if (cause.name === 'TimeoutError') return { ok: false, text: '', fault: `no answer within ${TIMEOUT_MS} ms` }
    return { ok: false, text: '', fault: 'code' in cause ? String(cause.code) : cause.message }
  }
}

function checksOf({ text }: Answer): ServiceLook['checks'] {
  return Object.fromEntries(
    Object.entries(record(recordIn(text).checks)).map(([name, result]) => {
      const { ok, detail } = record(result)
      return [name, { ok: ok === true, detail: String(detail ?? '').slice(0, MAX_DETAIL) }]
    }),
  )
}

/** `redis: no answer within 2000 ms; hub: …` out of the JSON that runtime/http.ts serves. */
function failingParts({ text, fault }: Answer): string {
  if (fault !== undefined) return fault
  const answer = recordIn(text)
  const parts = Object.entries({ ...record(answer.checks), ...record(answer.progress) })
    .filter(([, result]) => record(result).ok === false)
    .map(([name, result]) => `${name}: ${String(record(result).detail ?? 'failed')}`)
  return parts.join('; ') || String(answer.state ?? 'not ready')
}

/** Empty, when it is no JSON. */
function recordIn(text: string): Record<string, unknown> {
  try {
    return record(JSON.parse(text))
  } catch {
    return { state: 'an answer that is no JSON' }
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
