import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseWatched, type WatchMemory } from '#core/restarts.ts'
import { writeStateFile } from './state-files.ts'

const NAME = 'health.json'

/** What was told of failing services, in the zone's state. */
export function watchMemory(stateDir: string): WatchMemory {
  return {
    load: async () => parseWatched(await readFile(join(stateDir, NAME), 'utf8').catch(() => '')),
    save: (known) => writeStateFile(stateDir, NAME, JSON.stringify(known)),
  }
}
