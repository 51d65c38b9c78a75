import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../demo/until.ts'
import type { Figures } from './figures.ts'
import type { Lab } from './lab.ts'
import { whole } from './statistics.ts'
import { startSync } from './sync-service.ts'
import { load } from './usage.ts'
import { git, type VaultWorld } from './vault-world.ts'

/** From the start of a service with nothing to a vault that is the hub's: every commit verified, every file written. */
export async function measureFirstClone(lab: Lab, world: VaultWorld, figures: Figures): Promise<void> {
  const home = world.home('local')
  for (const name of ['vault', 'state']) {
    rmSync(join(home, name), { recursive: true, force: true })
    mkdirSync(join(home, name))
  }
  const startedAt = performance.now()
  await using _local = await startSync(lab, world, 'local')
  const isThere = () => filesBelow(join(home, 'vault')) === filesIn(world)
  await until('the first clone', isThere, { limitMs: 900_000, signal: lab.signal })
  const ms = performance.now() - startedAt
  figures.clones.push({ shape: world.shape, ms, load: load() })
  lab.say(`  first clone: ${whole(ms)} ms`)
}

function filesBelow(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).length
}

function filesIn(world: VaultWorld): number {
  return git(world.hub, ['ls-tree', '-r', '--name-only', 'main']).trimEnd().split('\n').length
}
