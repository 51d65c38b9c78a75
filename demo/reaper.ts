import { execFileSync, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** What must not outlive us: a process group, a container (by name), a temporary folder. */
export type Remains = { readonly group: number } | { readonly container: string } | { readonly folder: string }

export type Reaper = {
  /** Registered before or right after it comes to be. */
  add(remains: Remains): void
  /** It is gone already. */
  remove(remains: Remains): void
  /** Lets the reaper go; what is still registered is cleared away. */
  close(): Promise<void>
}

/** Temporary worlds are made under this name, and the reaper removes no other folder. */
export const WORLD_PREFIX = 'countersign-demo-'

const LATE_CONTAINER_MS = 3_000

/**
 * Starts a process whose only job is to clear up after this one. It holds the reading end of a pipe: however we die
 * (SIGKILL too), the pipe closes, and it kills the groups, removes the containers and the folder that are still
 * registered, then ends itself.
 */
export function startReaper(): Reaper {
  const child = spawn(process.execPath, [import.meta.filename], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.on('error', () => {}) // the reaper was killed: our own clean-up still runs
  child.unref()
  ;(child.stdin as Socket).unref()
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const say = (verb: 'add' | 'remove', remains: Remains) => {
    if (child.stdin.writable) child.stdin.write(`${JSON.stringify({ [verb]: remains })}\n`)
  }
  return {
    add: (remains) => say('add', remains),
    remove: (remains) => say('remove', remains),
    async close() {
      child.ref()
      child.stdin.end('{"orderly":true}\n')
      await gone
    },
  }
}

async function reap(): Promise<void> {
  // The terminal's Ctrl-C and a closing session are for our parent; its end is the only signal here.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  const registered = new Map<string, Remains>()
  let isOrderly = false
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line) as { add?: Remains; remove?: Remains; orderly?: boolean }
    if (message.orderly) isOrderly = true
    if (message.add) registered.set(JSON.stringify(message.add), message.add)
    if (message.remove) registered.delete(JSON.stringify(message.remove))
  }
  const remains = [...registered.values()]
  for (const one of remains) if ('group' in one) quietly(() => process.kill(-one.group, 'SIGKILL'))
  for (const one of remains) if ('folder' in one && isWorldFolder(one.folder)) quietly(() => removeFolder(one.folder))
  await removeContainers(
    remains.flatMap((one) => ('container' in one ? [one.container] : [])),
    isOrderly ? 0 : LATE_CONTAINER_MS,
  )
}

/** Killed in the middle of a `docker run`, the client or the engine may still be making one: it is asked again until `limitMs`. */
async function removeContainers(names: readonly string[], limitMs: number): Promise<void> {
  const deadline = Date.now() + limitMs
  let missing = names.filter((name) => !removeContainer(name))
  while (missing.length > 0 && Date.now() < deadline) {
    await delay(200)
    missing = missing.filter((name) => !removeContainer(name))
  }
}

function isWorldFolder(folder: string): boolean {
  return dirname(folder) === tmpdir() && basename(folder).startsWith(WORLD_PREFIX)
}

/** Removes a temporary world. Retries: a process killed a moment ago may still have had a file in hand. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/** False when there was none to remove. */
function removeContainer(name: string): boolean {
  try {
    const removed = execFileSync('docker', ['rm', '-f', '-v', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 30_000,
    })
    return removed.trim() === name
  } catch {
    return false // newer clients call it an error
  }
}

function quietly(act: () => void): void {
  try {
    act()
  } catch {
    // already gone, or not ours to end: the rest must still be cleared
  }
}

if (import.meta.main) await reap()
