import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ComposeZone } from '#tests/support/compose.ts'
import type { Target } from './containers.ts'

const GIVE_UP_MS = 300_000
/** So long it is left broken after the person was told, to see whether they are told again. */
const QUIET_MS = 60_000

export interface PoisonedStart {
  /** What the person was told of it, in its order. */
  readonly told: readonly string[]
  /** Seconds from the poison to the first word, and from the mending until the service was ready. */
  readonly toldAfter: number
  readonly readyAfter: number
}

/**
 * Sync's file of fingerprints is made unreadable and its process ended: no start succeeds until the file is what it was. The
 * notes in `Updates/` are gathered all the while, since they vanish once the other zone has merged them.
 */
export async function poisonedStart(zone: ComposeZone, sync: Target, signal: AbortSignal): Promise<PoisonedStart> {
  const path = join(zone.home, 'keys/guard.json')
  const sound = await readFile(path)
  const told = new Map<string, string>()
  const until = async (what: string, isSo: () => boolean | Promise<boolean>) => {
    const began = performance.now()
    while (!(await isSo())) {
      if (performance.now() - began > GIVE_UP_MS) throw new Error(`${what}: not within ${GIVE_UP_MS / 1000} s`)
      await look(zone.vault, told)
      await delay(200, undefined, { signal })
    }
    return (performance.now() - began) / 1000
  }
  const pid = await sync.pid()
  if (pid === undefined) throw new Error(`${sync.name} does not run`)
  // In place: the container holds this very file.
  await writeFile(path, '{')
  try {
    process.kill(pid, 'SIGKILL')
    const toldAfter = await until('a word of it', () => told.size > 0)
    const quietUntil = performance.now() + QUIET_MS
    await until('the quiet', () => performance.now() > quietUntil)
    await writeFile(path, sound)
    const readyAfter = await until('ready again', () => sync.isReady())
    await until('the word that it is back', () => [...told.values()].some((text) => /is back/.test(text)))
    return { told: [...told.values()], toldAfter, readyAfter }
  } finally {
    await writeFile(path, sound)
  }
}

async function look(vault: string, told: Map<string, string>): Promise<void> {
  const folder = join(vault, 'Updates/cloud')
  for (const name of await readdir(folder).catch(() => [])) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '')
    if (/^sync (keeps failing|is back)/.test(text)) told.set(name, text.trim())
  }
}
