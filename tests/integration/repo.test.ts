import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { repoContract } from '#tests/contract/repo.contract.ts'
import { makeZones, openClone } from '#tests/support/git-zones.ts'

repoContract('real git', async () => {
  const zones = await makeZones()
  const hub = join(mkdtempSync(join(zones.root, 'bare-')), 'vault.git')
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', hub])
  const clones = new AsyncDisposableStack()
  return {
    clone: async (agent) => clones.use(await openClone(zones, agent, hub)),
    async [Symbol.asyncDispose]() {
      await clones.disposeAsync()
      zones[Symbol.dispose]()
    },
  }
})
