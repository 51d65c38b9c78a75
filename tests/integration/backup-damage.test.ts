import { cpSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import { backUp } from '#services/backup/back-up.ts'
import type { BackupDeps } from '#services/backup/deps.ts'
import { drill } from '#services/backup/drill.ts'
import { CONTENT_DAMAGES, type Damage, STORE_DAMAGES } from '#tests/support/backup-damage.ts'
import { type BackupWorld, backupWorld } from '#tests/support/backup-zone.ts'

// Each costs some seconds, most of which restic's passwords take: a few by default, every one by switch.
const EVERY = process.env.COUNTERSIGN_TEST_EVERY_DAMAGE === '1'
const some = (damages: readonly Damage[], step: number) => damages.filter((_one, index) => EVERY || index % step === 1)

let world: BackupWorld
beforeAll(async () => {
  world = await backupWorld()
  await backUp(await world.deps())
})
afterAll(() => world[Symbol.dispose]())

test('there are fifty ways, and a backup that nothing happened to is whole', async () => {
  expect(STORE_DAMAGES.length + CONTENT_DAMAGES.length).toBeGreaterThanOrEqual(50)
  expect(await verdictOf(await world.deps())).toBe('whole')
})

test.each(some(STORE_DAMAGES, 14))('is noticed: %s', async (_what, harm) => {
  const sound = join(world.dir, 'sound')
  cpSync(world.target, sound, { recursive: true })
  try {
    harm(world.target)
    // Nothing that restic keeps here may stand for what is not there any more.
    rmSync(join(world.home, 'backup/cache'), { recursive: true, force: true })
    expect(await verdictOf(await world.deps())).not.toBe('whole')
  } finally {
    rmSync(world.target, { recursive: true, force: true })
    renameSync(sound, world.target)
    rmSync(join(world.home, 'backup/cache'), { recursive: true, force: true })
  }
})

test.each(some(CONTENT_DAMAGES, 8))('is noticed in a store that is sound: %s', async (_what, harm) => {
  const deps = await world.deps()
  const store = {
    ...deps.store,
    save(folder: string, of: { agent: string; zone: string }) {
      harm(folder)
      return deps.store.save(folder, of)
    },
  }
  await backUp({ ...deps, store })
  expect(await verdictOf(deps)).toMatch(/^(files|databases|repositories|manifest|history|ledgers)/)
})

async function verdictOf(deps: BackupDeps): Promise<string> {
  try {
    const { ok, findings } = await drill(deps)
    const failed = findings.filter(({ result }) => result === 'failed')
    return ok ? 'whole' : failed.map(({ check, found }) => `${check}: ${found}`).join('\n')
  } catch (error) {
    if (error instanceof CountersignError && error.code.startsWith('ERR_BACKUP_')) return error.message
    throw error
  }
}
