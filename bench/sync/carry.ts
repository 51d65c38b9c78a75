import { mkdirSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Carried {
  /** From the write at A to the hub's branch; absent where there is no hub. */
  readonly toHubMs?: number
  /** From the write at A to the same bytes at B. */
  readonly toDiskMs: number
}

const LIMIT_MS = 120_000

/** Writes as the services do: whole, by rename. */
export function writeWhole(path: string, text: string): void {
  const temporary = join(dirname(path), `.tmp-bench-${process.pid}`)
  writeFileSync(temporary, text)
  renameSync(temporary, path)
}

/** Writes a file at A and waits for its bytes at B; the marks are taken outside of whatever carries it. */
export async function carry(
  from: string,
  to: string,
  path: string,
  text: string,
  options: { readonly signal: AbortSignal; readonly hub?: string },
): Promise<Carried> {
  using arrival = arrivalOf(join(to, path), text)
  using landing = options.hub === undefined ? undefined : branchMove(options.hub)
  const startedAt = performance.now()
  writeWhole(join(from, path), text)
  const arrivedAt = await within(arrival.at, `${path} at ${to}`, options.signal)
  const landedAt = landing?.movedAt()
  return {
    toDiskMs: arrivedAt - startedAt,
    ...(landedAt !== undefined && { toHubMs: landedAt - startedAt }),
  }
}

export async function within<T>(wanted: Promise<T>, what: string, signal: AbortSignal): Promise<T> {
  const stop = new AbortController()
  const limit = AbortSignal.any([signal, stop.signal])
  const late = delay(LIMIT_MS, undefined, { signal: limit }).then(() => {
    throw new Error(`waited ${LIMIT_MS / 1000} s for ${what}, in vain`)
  })
  return Promise.race([wanted, late]).finally(() => {
    late.catch(() => {}) // aborted below
    stop.abort()
  })
}

/** When the bytes stand at a path. */
function arrivalOf(path: string, text: string): { readonly at: Promise<number> } & Disposable {
  const found = Promise.withResolvers<number>()
  mkdirSync(dirname(path), { recursive: true })
  const look = () => {
    try {
      if (readFileSync(path, 'utf8') === text) found.resolve(performance.now())
    } catch {
      // It is just being replaced.
    }
  }
  const watcher = watch(dirname(path), look)
  return { at: found.promise, [Symbol.dispose]: () => watcher.close() }
}

/** When the hub's branch first moved. */
function branchMove(hub: string): { movedAt(): number | undefined } & Disposable {
  let at: number | undefined
  const watcher = watch(join(hub, 'refs/heads'), (_event, name) => {
    if (name === 'main') at ??= performance.now()
  })
  return { movedAt: () => at, [Symbol.dispose]: () => watcher.close() }
}
