import type { ServiceReport } from '#core/service-report.ts'
import type { Metrics } from './metrics.ts'

/** true: it answered. A text: it did not, and why. undefined: nobody has asked it yet. */
export type Found = true | string | undefined

/** How a service tells what it works with; each call replaces the last one of the same name. */
export interface Tells {
  /** What the service is ready without. Told as it is met: nothing is asked for this. */
  depends(name: ServiceReport['dependencies'][number]['name'], found: Found): void
  /** When a certificate or a token ends, ms since the epoch. */
  ends(what: ServiceReport['ends'][number]['what'], of: string, atMs: number): void
  /** How far another clock is ahead of this machine's, as far as it could be told: at least and at most, ms. */
  clock(of: string, leastMs: number, mostMs: number): void
}

/** What the executor's metrics come to; undefined in every other service, of which nothing approved can wait. */
export async function numbersOf(metrics: Pick<Metrics, 'read'>): Promise<ServiceReport['numbers']> {
  const ages = await metrics.read('countersign_task_oldest_age_seconds')
  const oldest = ages.find(({ labels }) => labels.state === 'approved')
  if (!oldest) return undefined
  const executions = { done: 0, refused: 0, failed: 0, unknown: 0, cancelled: 0 }
  for (const { labels, value } of await metrics.read('countersign_executions_total'))
    if (Object.hasOwn(executions, labels.outcome ?? '')) executions[labels.outcome as keyof typeof executions] += value
  const duplicates = await metrics.read('countersign_duplicates_prevented_total')
  return {
    executions,
    duplicates: duplicates.reduce((sum, { value }) => sum + value, 0),
    oldest_approved_s: Math.round(oldest.value),
  }
}

const MAX_DETAIL = 300
const MAX_ERRORS = 20

/** What `/report` tells of this process. */
export function createReport(now: () => number = Date.now) {
  const dependencies = new Map<string, ServiceReport['dependencies'][number]>()
  const ends = new Map<string, ServiceReport['ends'][number]>()
  const clocks = new Map<string, ServiceReport['clocks'][number]>()
  const errors = new Map<string, ServiceReport['errors'][number]>()
  const tells: Tells = {
    depends(name, found) {
      const state = found === undefined ? 'unknown' : found === true ? 'ok' : 'bad'
      dependencies.set(name, {
        ...{ name, state },
        ...(typeof found === 'string' && { detail: found.slice(0, MAX_DETAIL) }),
      })
    },
    ends: (what, of, atMs) => void ends.set(`${what} ${of}`, { what, of, at: new Date(atMs).toISOString() }),
    clock: (of, leastMs, mostMs) =>
      void clocks.set(of, { of, leastMs: Math.round(leastMs), mostMs: Math.round(mostMs) }),
  }
  return {
    ...tells,
    /** Counts an error by its code; the code that came last is told first. */
    error(code: string): void {
      const count = (errors.get(code)?.count ?? 0) + 1
      errors.delete(code)
      errors.set(code, { code, count, at: new Date(now()).toISOString() })
    },
    make: (): ServiceReport => ({
      dependencies: [...dependencies.values()],
      ends: [...ends.values()],
      clocks: [...clocks.values()],
      errors: [...errors.values()].reverse().slice(0, MAX_ERRORS),
    }),
  }
}
