import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Checked, parseChecked } from '#core/dependencies.ts'
import { parseWatched, type WatchMemory } from '#core/restarts.ts'
import { writeStateFile } from './state-files.ts'

const NAME = 'health.json'
const CHECKED = 'dependencies.json'

/** What was told of failing services, in the zone's state. */
export function watchMemory(stateDir: string): WatchMemory {
  return {
    load: async () => parseWatched(await readFile(join(stateDir, NAME), 'utf8').catch(() => '')),
    save: (known) => writeStateFile(stateDir, NAME, JSON.stringify(known)),
  }
}

/** What the zone works with, as it was last found: since when something is away is known across a restart. */
export function checkedMemory(stateDir: string) {
  return {
    load: async (): Promise<Checked[]> => parseChecked(await readFile(join(stateDir, CHECKED), 'utf8').catch(() => '')),
    save: (checked: readonly Checked[]) => writeStateFile(stateDir, CHECKED, JSON.stringify(checked)),
  }
}
